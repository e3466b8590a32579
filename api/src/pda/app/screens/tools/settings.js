// Language, look, and how the scanner is set.

import { h } from "../view.js";

/** @typedef {import("../app.js").App} App */

/** @param {App} app */
export function settingsScreen(app) {
  const { settings } = app;
  const isLight = settings.look === "light";
  /** @param {string} id @param {string} value @param {number} length @param {(value: string) => void} keep */
  const field = (id, value, length, keep) => {
    const change = (/** @type {Event} */ { target }) => {
      if (target instanceof HTMLInputElement) keep(target.value);
    };
    return h("p", {}, h("label", { for: id }, app.say(id)), h("input", { id, maxlength: length, value, autocomplete: "off", change }));
  };
  const suffixes = /** @type {const} */ (["Enter", "Tab"]);
  return [
    h(
      "main",
      {},
      h("h1", {}, app.say("settings")),
      h(
        "div",
        { class: "grid" },
        app.button("language", () => app.choose({ lang: settings.lang === "zh" ? "en" : "zh" })),
        app.button(isLight ? "dark" : "sunlight", () => app.choose({ look: isLight ? "dark" : "light" })),
      ),
      h("h2", {}, app.say("scanner")),
      field("prefix", settings.prefix, 1, (prefix) => app.choose({ prefix })),
      field("gs_tokens", settings.gsTokens.join(" "), 40, (text) => app.choose({ gsTokens: text.split(" ").filter(Boolean) })),
      field("gs_keys", settings.gsKeys.join(" "), 40, (text) => app.choose({ gsKeys: text.split(" ").filter(Boolean) })),
      h("p", {}, app.say("suffix")),
      h("div", { class: "grid" }, suffixes.map((suffix) => {
        const button = app.button(suffix, () => app.choose({ suffix }), settings.suffix === suffix ? "main" : "");
        button.setAttribute("aria-pressed", String(settings.suffix === suffix));
        return button;
      })),
      h("p", {}, app.button("doctor", () => app.go("doctor")), " ", app.button("sheet", () => app.go("sheet"))),
      app.session.fingerprint ? h("p", {}, app.say("fingerprint"), h("br", {}), h("span", { class: "code" }, app.session.fingerprint)) : null,
      h("h2", {}, app.say("this_device")),
      h("p", {}, app.say("enrol_anew_how")),
      h("p", {}, app.button("enrol_anew", () => app.go("enrol"))),
      h("p", {}, app.button("back", () => app.back())),
    ),
  ];
}
