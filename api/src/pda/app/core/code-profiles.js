// Codes of other national schemes, by profiles (`sync::trace_code::CodeProfiles`). No screen is told of profiles,
// so this is no part of the first load.

import { MAX_TEXT, answered, parse, withinLimit } from "./trace-code.js";
import { cut, trimmed } from "./trace-code/bytes.js";
import { CodeProfiles, ProfileError } from "./trace-code/profile.js";

export { CodeProfiles, ProfileError };

/**
 * Reads such a text, and what is refused by the profiles: the first one that fits. `{profile}:{code}`
 * names a profile, also for a text that would otherwise be taken for something else.
 * @param {string} text
 * @param {CodeProfiles} profiles
 * @returns {import("./trace-code.js").Read}
 */
export function parseWith(text, profiles) {
  const read = parse(text);
  if (text.length > MAX_TEXT) return read;
  const { start, body } = trimmed(text);
  const [name, rest] = cut(body, ":");
  const named = rest === null ? null : profiles.named(name);
  if (named && rest !== null) {
    return answered(() => {
      withinLimit(text, 0);
      return named.read(rest, start + name.length + 1);
    });
  }
  if (read.ok) return read;
  const fitting = profiles.list.find((profile) => profile.fits(body));
  return fitting ? answered(() => fitting.read(body, start)) : read;
}
