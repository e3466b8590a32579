// Reading JSON that somebody else wrote: bounded in depth, no name twice in an object.
//
// `JSON.parse` takes the last of two equal names and any depth; two readers of a signed message must
// not see different things.

/** A text that is no such JSON. */
export class JsonFault extends Error {}

/**
 * @param {string} text
 * @param {number} maxDepth
 * @returns {unknown}
 */
export function parseJson(text, maxDepth) {
  scan(text, maxDepth);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new JsonFault(String(error));
  }
}

/**
 * Goes once through the text. What is no JSON is found by the parser afterwards.
 * @param {string} text
 * @param {number} maxDepth
 */
function scan(text, maxDepth) {
  /** @type {(Set<string> | null)[]} names of each open object; null for a list */
  const open = [];
  let mayBeName = false;
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charAt(at);
    if (c === '"') {
      const end = stringEnd(text, at);
      const names = open[open.length - 1];
      if (mayBeName && names) addName(names, text.slice(at, end + 1));
      mayBeName = false;
      at = end;
    } else if (c === "{" || c === "[") {
      open.push(c === "{" ? new Set() : null);
      if (open.length > maxDepth) throw new JsonFault(`nests deeper than ${maxDepth}`);
      mayBeName = c === "{";
    } else if (c === "}" || c === "]") {
      open.pop();
      mayBeName = false;
    } else if (c === ",") {
      mayBeName = Boolean(open[open.length - 1]);
    }
  }
}

/** @param {Set<string>} names @param {string} quoted */
function addName(names, quoted) {
  let name = quoted;
  try {
    name = String(JSON.parse(quoted));
  } catch {
    // The parser will say what is wrong with it.
  }
  if (names.has(name)) throw new JsonFault(`${quoted} stands twice`);
  names.add(name);
}

/** Where a string ends that begins here. @param {string} text @param {number} from */
function stringEnd(text, from) {
  let at = from + 1;
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
  return at;
}
