// Why a tile shows what it shows: the server's own explanation, put into words.

import { bits } from './stats.js';

/**
 * explain asks the server why a peer of a room gets what it gets. It returns a
 * Map of mid → explanation (sfukit.Explanation), empty if the server does not say.
 */
export async function explain(room, peer) {
  try {
    const reply = await fetch(`/debug/explain?${new URLSearchParams({ room, peer })}`);
    return new Map(reply.ok ? (await reply.json()).map((x) => [x.mid, x]) : []);
  } catch {
    return new Map(); // the call itself may do better
  }
}

/** words turns an explanation into [name, text] pairs, what matters most first. */
export function words(x) {
  if (!x) return [['why', 'the server has not said yet']];
  const rows = [
    ['shows', `${rung(x.showing)}${x.decided && x.decided.rid !== x.showing?.rid ? `, soon ${rung(x.decided)}` : ''}`],
    ['wish', wish(x.wish)],
    ['budget', x.budget_bps ? `${bits(x.budget_bps)} by ${x.term}, ${bits(x.share_bps)} for this` : 'not known yet'],
    ['limit', LIMITS[x.binding] ?? x.binding],
    ['next', `${rung(x.next)}${waiting(x)}`],
    ['for', age(x.since_ms) + (x.reason === 'start' ? '' : `, changed by ${LIMITS[x.reason] ?? x.reason}`)],
  ];
  if (x.probed_bps) rows.push(['probe', `${bits(x.probed_bps)}, ${age(x.probed_ago_ms)} ago`]);
  return rows;
}

// What keeps a track from more, by the label of sfukit.LayerReason; newer ones stand for themselves.
const LIMITS = {
  start: 'none', client: 'the wish', bandwidth: 'bandwidth', live: 'what its sender sends',
  suspend: 'too little for any video', priority: 'others come first',
};

function waiting({ waiting: what, missing_bps: missing, backoff_ms: backoff }) {
  const text = {
    nothing: '', client: 'not wished for', keyframe: 'a keyframe comes', live: 'not being sent',
    rate: '', proof: 'the link is being tried', estimate: 'no estimate to go by',
    backoff: `tried again in ${age(backoff ?? 0)}`,
  }[what] ?? what;
  const parts = [text, missing ? `${bits(missing)} missing` : ''].filter(Boolean);
  return parts.length ? `: ${parts.join(', ')}` : '';
}

function wish({ max_rid: rid, max_width: width, priority, paused }) {
  const parts = [];
  if (paused) parts.push('paused');
  if (rid) parts.push(`up to ${rid}`);
  if (width) parts.push(`up to ${width} px`);
  if (!parts.length) parts.push('the best there is');
  if (priority) parts.push(`priority ${priority}`);
  return parts.join(', ');
}

function rung(r) {
  if (!r) return 'nothing';
  const layers = r.spatial || r.temporal ? `S${r.spatial}T${r.temporal}` : '';
  return [r.rid, layers, r.width ? `${r.width} px` : '', r.bitrate_bps ? bits(r.bitrate_bps) : ''].filter(Boolean).join(' ') || 'the only one';
}

function age(ms) {
  const s = Math.round(ms / 1000);
  return s < 100 ? `${s} s` : `${Math.round(s / 60)} min`;
}
