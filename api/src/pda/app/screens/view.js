// Makes elements. Everything that is shown goes in as text, never as markup, so that nothing a code,
// a card or a server says can become part of the page.

/** @typedef {Node | string | number | null | false} Child */

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | ((event: Event) => void)>} attributes functions are listeners
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
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
