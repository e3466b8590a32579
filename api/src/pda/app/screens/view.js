// Makes elements. Everything that is shown goes in as text, never as markup, so that nothing a code,
// a card or a server says can become part of the page.

/** @typedef {Node | string | number | null | false} Child */
/** Functions are listeners. @typedef {Record<string, string | number | boolean | null | ((event: Event) => void)>} Attributes */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Attributes} attributes
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export const h = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);

/**
 * A bar code as a drawing: dark rectangles on white, one module each unit of the view.
 * @param {string} label what it says, for who cannot see it
 * @param {number} width
 * @param {number} height
 * @param {Iterable<readonly [x: number, y: number, width: number, height: number]>} dark
 */
export function drawn(label, width, height, dark) {
  const path = [...dark].map(([x, y, w, high]) => `M${x} ${y}h${w}v${high}h${-w}z`).join("");
  const make = (/** @type {string} */ tag, /** @type {Attributes} */ attributes) => filled(document.createElementNS(SVG, tag), attributes, []);
  const drawing = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges", preserveAspectRatio: "none" });
  drawing.append(make("rect", { width, height, fill: "#fff" }), make("path", { d: path, fill: "#000" }));
  return drawing;
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Attributes} attributes
 * @param {(Child | Child[])[]} children
 * @returns {E}
 */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== false) element.setAttribute(name, String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== false) element.append(child instanceof Node ? child : String(child));
  }
  return element;
}
