// Cameras, microphones and screens: asking for them, and saying plainly why
// there is none.

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { max: 30 } };
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const WATCH = 'You can join as a viewer: you see and hear the others, nobody sees or hears you.';
const PROBLEMS = {
  insecure: ['Camera and microphone need https',
    `This page came over plain http from another computer, where browsers allow no capture. Start the server with -https and open the https address it prints. ${WATCH}`],
  denied: ['Camera and microphone are blocked',
    `Allow them for this site in the address bar and reload. ${WATCH}`],
  missing: ['No camera or microphone found', WATCH],
  busy: ['The camera or microphone is in use', `Another program holds it. Close that program and reload. ${WATCH}`],
  failed: ['The camera or microphone did not start', WATCH],
};

/** problem returns {code, title, text} for one of the reasons why there is no capture. */
export function problem(code) {
  const [title, text] = PROBLEMS[code];
  return { code, title, text };
}

function reasonOf(err) {
  switch (err.name) {
    case 'NotAllowedError':
    case 'SecurityError': return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError': return 'missing';
    case 'NotReadableError':
    case 'AbortError': return 'busy';
    default: return 'failed';
  }
}

/**
 * capture asks for a microphone and a camera, a device id or true or false
 * each, and returns {mic, camera, problem}: the tracks it could get, null for
 * those it could not, and why, if anything wanted is missing altogether.
 */
export async function capture({ mic = false, camera = false }) {
  if (!navigator.mediaDevices?.getUserMedia) return { mic: null, camera: null, problem: problem('insecure') };
  const audio = mic && { ...MICROPHONE, ...(mic !== true && { deviceId: mic }) };
  const video = camera && { ...CAMERA, ...(camera !== true && { deviceId: camera }) };
  try {
    return sorted(await navigator.mediaDevices.getUserMedia({ audio, video }), null);
  } catch (err) {
    const why = problem(reasonOf(err));
    if (!audio || !video) return sorted(null, why);
    // Together they fail if one of the two does: ask for each alone.
    const [a, v] = await Promise.all([{ audio }, { video }].map((one) =>
      navigator.mediaDevices.getUserMedia(one).catch(() => null)));
    const tracks = [...(a?.getTracks() ?? []), ...(v?.getTracks() ?? [])];
    return sorted(new MediaStream(tracks), tracks.length ? null : why);
  }
}

function sorted(stream, why) {
  const camera = stream?.getVideoTracks()[0] ?? null;
  if (camera) camera.contentHint = 'motion';
  return { mic: stream?.getAudioTracks()[0] ?? null, camera, problem: why };
}

/** captureScreen asks for a screen, window or tab; null if the user thinks better of it. */
export async function captureScreen() {
  if (!navigator.mediaDevices?.getDisplayMedia) return null;
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
    const [track] = stream.getVideoTracks();
    track.contentHint = 'detail';
    return track;
  } catch (err) {
    if (err.name === 'NotAllowedError' || err.name === 'AbortError') return null;
    throw err;
  }
}

/** devices lists {mics, cameras} with names, once the user has allowed any. */
export async function devices() {
  const all = await navigator.mediaDevices?.enumerateDevices?.() ?? [];
  const of = (kind) => all.filter((d) => d.kind === kind && d.deviceId);
  return { mics: of('audioinput'), cameras: of('videoinput') };
}
