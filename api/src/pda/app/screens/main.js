// Starts the app: one writer across tabs, storage that is kept, the service worker, the first screen.

import { VERSION } from "../precache.js";
import { beWriter } from "../device/lock.js";
import { Store } from "../device/store.js";
import { App } from "./app.js";
import { Session } from "./session.js";
import { h } from "./view.js";
import { speaker } from "./words.js";

const root = document.getElementById("app") ?? document.body;

/** @returns {import("./app.js").Settings} */
function settingsOf(/** @type {unknown} */ kept) {
  const { lang, look, prefix } = /** @type {Partial<import("./app.js").Settings>} */ (kept ?? {});
  const own = navigator.language.toLowerCase().startsWith("en") ? "en" : "zh";
  return { lang: lang ?? own, look: look ?? "light", prefix: prefix ?? "^" };
}

async function write() {
  let store;
  try {
    store = await Store.open(indexedDB, "suyuan-device");
  } catch {
    root.replaceChildren(h("main", {}, h("h1", {}, speaker(settingsOf(null).lang)("no_storage"))));
    return;
  }
  const held = store;
  const persisted = (await navigator.storage?.persist?.().catch(() => false)) ?? false;
  /** @type {App | null} */
  let app = null;
  const session = new Session(held, { told: (told) => app?.tell(told), changed: () => app?.draw() }, `pda ${VERSION}`);
  app = new App(root, session, settingsOf(await held.record("settings")), {
    version: VERSION,
    persisted,
    keep: (settings) => void held.commit(null, { records: { settings } }),
  });
  if (await session.start()) app.screen = session.task ? "task" : "home";
  app.listen();
  app.drawNow();
  root.dataset.ready = "yes";
  if (navigator.onLine && session.driver) void session.pull();
  // The writer stays until the tab goes.
  await new Promise(() => {});
}

/** The one script that is named in code; where the browser asks for it, by a policy that knows no other. */
function workerScript() {
  const script = "/app/sw.js";
  const { trustedTypes } = /** @type {any} */ (globalThis);
  return trustedTypes ? trustedTypes.createPolicy("app", { createScriptURL: () => script }).createScriptURL(script) : script;
}

if ("serviceWorker" in navigator) {
  // What it has is used until every tab of it is closed: no update in the middle of a task.
  void navigator.serviceWorker.register(workerScript(), { type: "module", scope: "/app/" }).catch(() => {});
}
void beWriter(navigator.locks, "suyuan-writer", {
  waits: () => root.replaceChildren(h("main", {}, h("h1", {}, speaker(settingsOf(null).lang)("other_tab")))),
  writes: write,
});
