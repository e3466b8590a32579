// Instants as a device writes them: RFC 3339 with milliseconds and zone, and the years a browser
// prints with six digits when its clock is off by millennia.

/** As far from 1970 as a browser's clock can say, in milliseconds. */
const FARTHEST_MS = 8_640_000_000_000_000;

/**
 * @param {number} ms since 1970, UTC
 * @param {number} zone minutes east of UTC
 * @returns {string}
 */
export function writeInstant(ms, zone) {
  const at = Math.min(Math.max(Math.trunc(ms) || 0, -FARTHEST_MS), FARTHEST_MS);
  const minutes = Math.trunc(zone) || 0;
  const local = at + minutes * 60_000;
  // At the ends of time the instant is kept and the zone given up.
  if (minutes === 0 || Math.abs(minutes) >= 24 * 60 || Math.abs(local) > FARTHEST_MS) return new Date(at).toISOString();
  const text = new Date(local).toISOString();
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const size = Math.abs(minutes);
  return `${text.slice(0, -1)}${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
