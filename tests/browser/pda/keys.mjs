// The keys of a US keyboard, as a scanner that types presses them.

const SHIFTED = { ")": 0, "!": 1, "@": 2, "#": 3, $: 4, "%": 5, "^": 6, "&": 7, "*": 8, "(": 9 };
const PLACES = "-_Minus =+Equal [{BracketLeft ]}BracketRight \\|Backslash ;:Semicolon '\"Quote `~Backquote ,<Comma .>Period /?Slash";

/** The key a US keyboard has for a character. */
export function keyFor(c) {
  if (/[a-z]/i.test(c)) return { code: `Key${c.toUpperCase()}`, key: c, shift: c !== c.toLowerCase() };
  if (/\d/.test(c)) return { code: `Digit${c}`, key: c };
  if (c in SHIFTED) return { code: `Digit${SHIFTED[c]}`, key: c, shift: true };
  if (c === " ") return { code: "Space", key: " " };
  const row = PLACES.split(" ").find((keys) => keys.slice(0, 2).includes(c));
  return row ? { code: row.slice(2), key: c, shift: row[1] === c } : { code: "", key: c };
}

/** The key events of a text, without times. */
export const keysOf = (text) =>
  Array.from(text, (c) => {
    const named = { "\n": "Enter", "\t": "Tab" }[c];
    return { type: "keydown", ...(named ? { code: named, key: named } : c === "\x1d" ? { code: "", key: c } : keyFor(c)) };
  });

/** Types a text into a page as a scanner does: every key by its place, Shift where it needs it. */
export async function typeKeys(session, text) {
  const events = Array.from(text, (c) => {
    const { code, key, shift } = c === "\n" ? { code: "Enter", key: "Enter" } : keyFor(c);
    const plain = { code, key, modifiers: shift ? 8 : 0, ...(c === "\n" ? { text: "\r" } : { text: c }) };
    const virtual = c === "\n" ? 13 : c.toUpperCase().charCodeAt(0);
    return { ...plain, windowsVirtualKeyCode: virtual };
  });
  const sent = events.flatMap(({ text: typed, ...event }) => [
    session.send("Input.dispatchKeyEvent", { type: "keyDown", text: typed, ...event }),
    session.send("Input.dispatchKeyEvent", { type: "keyUp", ...event }),
  ]);
  await Promise.all(sent);
}
