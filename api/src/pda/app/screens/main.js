// Starts the app: one writer across tabs, storage that is kept, the service worker, the first screen.

import { FILES, VERSION } from "../precache.js";
import { DEFAULTS } from "../core/scanner.js";
import { beWriter } from "../device/lock.js";
import { isKept } from "../device/offline.js";
import { Store } from "../device/store.js";
import { Sync, UNSENT } from "../device/sync.js";
import { App } from "./app.js";
import { Session } from "./session.js";
import { h } from "./view.js";
import { speaker } from "./words.js";

const root = document.getElementById("app") ?? document.body;

/** @returns {import("./types.js").Settings} */
function settingsOf(/** @type {unknown} */ kept) {
  const { lang, look, prefix, suffix, gsKeys, gsTokens } = /** @type {Partial<import("./types.js").Settings>} */ (kept ?? {});
  const own = navigator.language.toLowerCase().startsWith("en") ? "en" : "zh";
  return {
    ...{ lang: lang ?? own, look: look ?? "light", prefix: prefix ?? DEFAULTS.prefix, suffix: suffix ?? DEFAULTS.suffix },
    ...{ gsKeys: gsKeys ?? [...DEFAULTS.gsKeys], gsTokens: gsTokens ?? [...DEFAULTS.gsTokens] },
  };
}

/**
 * How safe what is kept here is. A private window keeps things in memory, so its storage is no larger
 * than that: then the first closing of the window would lose a shift.
 * @returns {Promise<import("./types.js").About["storage"]>}
 */
async function storageOf() {
  const persisted = (await navigator.storage?.persist?.().catch(() => false)) ?? false;
  const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
  const heap = /** @type {any} */ (performance).memory?.jsHeapSizeLimit ?? 0;
  return { persisted, free: quota > 0 ? Math.max(0, quota - usage) / quota : null, isPrivate: !persisted && quota > 0 && quota < heap };
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
  let isOver = false;
  // Nothing that is done here is saved any more, and the person is told so; then it begins anew.
  held.superseded = () => {
    if (!isOver) setTimeout(() => location.reload(), 2000);
    isOver = true;
  };
  /** @type {App | null} */
  let app = null;
  const out = {
    told: (/** @type {import("./types.js").Told} */ told) => app?.tell(told),
    changed: () => app?.draw(),
    go: (/** @type {import("./types.js").ScreenName} */ screen) => app?.go(screen),
  };
  const sync = new Sync("serviceWorker" in navigator ? navigator.serviceWorker.ready : null);
  const session = new Session(held, out, `pda ${VERSION}`, () => sync.failed(performance.now()));
  // None of the three waits for another.
  const [storage, settings, isEnrolled] = await Promise.all([storageOf(), held.record("settings"), session.start()]);
  /** @type {import("./types.js").About} */
  const about = {
    version: VERSION,
    storage,
    isOffline: false,
    keep: (settings) => void held.commit(null, { records: { settings } }),
    look: async () => {
      about.storage = { ...(await storageOf()), isPrivate: about.storage.isPrivate };
      if (navigator.serviceWorker?.controller) about.isOffline = await looked();
    },
  };
  // Storage was asked to be kept before this.
  const looked = () => isKept({ serviceWorker: navigator.serviceWorker, caches, files: FILES }).catch(() => false);
  if ("serviceWorker" in navigator) {
    void looked().then((isOffline) => {
      about.isOffline = isOffline;
      app?.draw();
    });
  }
  app = new App(root, session, settingsOf(settings), about);
  if (isEnrolled) app.screen = app.base;
  app.listen();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && (session.driver?.outbox.unsent ?? 0) > 0) sync.ask();
  });
  // The worker was called, and the app is open: it sends by itself.
  navigator.serviceWorker?.addEventListener("message", ({ data }) => data === UNSENT && app?.woken());
  app.drawNow();
  root.dataset.ready = "yes";
  void import("../device/fresh-log.js").then((it) => it.freshLog(indexedDB, navigator)).catch(() => {});
  // Once the first scans could be made; a phone that never rests fetches them when they are wanted.
  setTimeout(() => void app?.fetchTools().catch(() => {}), 1500);
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
  const script = workerScript();
  // What it has is used until every tab of it is closed: no update in the middle of a task.
  const install = () => void navigator.serviceWorker.register(script, { type: "module", scope: "/app/" }).catch(() => {});
  install();
  // A broken line ends it: it is begun again.
  const again = setInterval(install, 10_000);
  void navigator.serviceWorker.ready.then(() => clearInterval(again));
}
void beWriter(navigator.locks, "suyuan-writer", {
  waits: () => root.replaceChildren(h("main", {}, h("h1", {}, speaker(settingsOf(null).lang)("other_tab")))),
  writes: write,
});
