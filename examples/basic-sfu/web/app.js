// Puts the pieces together: address, screens, buttons, keys.

import { Call } from './call.js';
import { ChatPanel } from './chatpanel.js';
import { expose } from './debug.js';
import { Grid } from './grid.js';
import { Notices } from './notices.js';
import { press, StartScreen } from './start.js';
import { bits } from './stats.js';

const $ = (id) => document.getElementById(id);
const address = new URLSearchParams(location.search);

const call = new Call();
const { media } = call;
const notices = new Notices($('notices'));
const chat = new ChatPanel(call);
const grid = new Grid($('grid'), call, () => notices.show({
  id: 'silent', title: 'Sound is off', text: 'The browser waits for you to touch the page.',
  action: { label: 'Turn on sound', run: () => { grid.unblock(); notices.dismiss('silent'); } },
}));
const start = new StartScreen(media, notices, enter);

async function enter(room, name) {
  start.hide();
  $('call').hidden = false;
  $('grid').before($('notices')); // from now on below the bar
  $('room-name').textContent = room;
  document.title = `${room} · oxpulse-sfu`;
  const url = new URL(location.pathname, location.href);
  url.searchParams.set('room', room);
  if (name) url.searchParams.set('name', name);
  history.replaceState(null, '', url);
  if (!media.mic && !media.camera && !notices.has('denied', 'missing', 'insecure', 'busy', 'failed')) {
    notices.show({ id: 'viewer', title: 'You are a viewer', text: 'Camera and microphone are off: nobody sees or hears you.', seconds: 8 });
  }
  call.join(room, name);
}

async function autojoin(room, name) {
  tell(await media.open());
  enter(room, name);
}

function tell(problem) {
  if (problem) notices.show({ id: problem.code, level: 'error', ...problem });
}

// --- what the call says

function render() {
  grid.update();
  press($('mic'), media.micOn, 'microphone', 'M');
  press($('camera'), Boolean(media.camera), 'camera', 'V');
  press($('screen'), Boolean(media.screen), 'screen sharing', 'S');
  $('screen').disabled = !navigator.mediaDevices?.getDisplayMedia;
  $('people').textContent = `${(call.session?.roster.size ?? 0) + 1} here`;
  const state = call.state === 'joined' ? call.path : call.state;
  if ($('link-state').dataset.state !== state) $('link-state').textContent = state;
  $('link-state').dataset.state = state;
  tellMode(call.session?.video ?? { mode: 'video' });
}

let mode = 'video';
function tellMode(now) {
  if (now.mode === mode) return;
  mode = now.mode;
  if (mode === 'video') notices.dismiss('mode');
  else notices.show({
    id: 'mode', level: 'error', title: 'Audio only',
    text: `Your connection carries about ${bits(now.budget_bps)}, too little for pictures. They come back by themselves.`,
  });
}

function stateChanged() {
  clearInterval(countdown);
  $('ended').hidden = call.state !== 'ended';
  $('call').hidden = call.state === 'ended';
  if (call.state === 'joined') notices.dismiss('lost');
  if (call.state === 'waiting') waitVisibly();
  if (call.state === 'ended') {
    notices.clear();
    $('ended-title').textContent = call.why.title;
    $('ended-text').textContent = call.why.text;
    $('rejoin').focus();
  }
}

let countdown = 0;
function waitVisibly() {
  const text = () => {
    const seconds = Math.max(0, Math.ceil((call.retryAt - Date.now()) / 1000));
    return `${call.why.text} Trying again ${seconds ? `in ${seconds} s` : 'now'}.`;
  };
  notices.show({ id: 'lost', level: 'error', title: call.why.title, text: text(), action: { label: 'Try now', run: () => call.retry() } });
  countdown = setInterval(() => notices.amend('lost', text()), 500);
}

call.addEventListener('change', render);
call.addEventListener('state', stateChanged);
call.addEventListener('notice', ({ detail }) => notices.show({ id: 'server', seconds: 8, ...detail }));

setInterval(async () => {
  const { session } = call;
  if (!session || document.hidden) return;
  const sample = await session.meter.sample();
  if (session !== call.session) return;
  grid.figures(sample);
  grid.explain();
  if (call.path === 'connected' && sample.rtt !== null) {
    $('link-state').textContent = `connected, ${Math.round(sample.rtt * 1000)} ms`;
  }
}, 1000);

// --- what the user does

$('mic').onclick = async () => tell(await media.setMic(!media.micOn));
$('camera').onclick = async () => tell(await media.setCamera(!media.camera));
$('screen').onclick = () => media.setScreen(!media.screen).catch((err) =>
  notices.show({ id: 'screen', level: 'error', title: 'The screen could not be shared', text: err.message, seconds: 8 }));
$('numbers').onclick = () => {
  const on = $('numbers').getAttribute('aria-pressed') !== 'true';
  $('numbers').setAttribute('aria-pressed', String(on));
  $('grid').classList.toggle('plain', !on);
};
$('leave').onclick = () => call.leave();
$('rejoin').onclick = () => autojoin(call.room, call.name);
$('copy-link').onclick = async () => {
  const link = `${location.origin}${location.pathname}?room=${encodeURIComponent(call.room)}`;
  const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
  notices.show({ id: 'link', title: copied ? 'Link copied' : 'Send this link', text: link, seconds: copied ? 3 : 0 });
};

const keys = { m: 'mic', v: 'camera', s: 'screen', c: 'chat-toggle', n: 'numbers' };
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && chat.isOpen) $('chat-close').click();
  if ($('call').hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest('input, select, textarea')) return;
  if (event.key.toLowerCase() === 'w') grid.explainAll();
  const button = keys[event.key.toLowerCase()];
  if (!button) return;
  event.preventDefault();
  $(button).click();
});

expose(call);
const room = address.get('room')?.trim() ?? '';
const name = address.get('name')?.trim() ?? '';
if (room && address.get('autojoin') === '1') autojoin(room, name);
else start.show({ room, name });
