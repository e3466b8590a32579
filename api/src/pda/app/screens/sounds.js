// Three sounds that cannot be taken for each other, and a tick; with vibration where there is any.

/** @typedef {"ok" | "tick" | "warn" | "stop"} Sound */

/** Frequency, seconds, and how often. @type {Record<Sound, [hertz: number, seconds: number, times: number, vibration: number[]]>} */
const SOUNDS = {
  ok: [1760, 0.09, 1, [40]],
  tick: [880, 0.03, 1, [15]],
  warn: [660, 0.14, 2, [80, 60, 80]],
  stop: [180, 0.9, 1, [400, 100, 400]],
};

/** @type {AudioContext | null} */
let audio = null;

/** Makes a sound; a browser that allows none yet stays silent. @param {Sound} sound */
export function play(sound) {
  const [hertz, seconds, times, vibration] = SOUNDS[sound];
  navigator.vibrate?.(vibration);
  if (typeof AudioContext === "undefined") return;
  audio ??= new AudioContext();
  void audio.resume().catch(() => {});
  for (let n = 0; n < times; n += 1) {
    const from = audio.currentTime + n * seconds * 1.6;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    volume.gain.value = 0.4;
    tone.frequency.value = hertz;
    tone.type = sound === "stop" ? "sawtooth" : "square";
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + seconds);
  }
}
