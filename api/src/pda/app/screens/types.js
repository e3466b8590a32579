// What a session tells and is asked by whoever draws it, and what is known of the program around it. Types only, in a
// file that nothing loads, so that the first load has none of it.

/** @typedef {import("../core/wire/messages.js").UnitCard} UnitCard */
/** @typedef {import("./app.js").App} App */

/**
 * What is known of a unit, and by whom: this device as of its last pull, or the server as of its answer;
 * `asked` is what became of asking it.
 * @typedef {{ goods: import("../core/till.js").Goods, unit: string, card: UnitCard | null, decision: import("../core/till.js").Decision,
 *   from: "here" | "server", at: number | null, asked: "asking" | "offline" | "lost" | "answered" }} Looked
 */
/**
 * What a person is told: words, why, and of what, as it was read.
 * @typedef {{ sound: import("./sounds.js").Sound, words: string[], why?: string, of?: string }} Told
 */
/** @typedef {"enrol" | "home" | "task" | "queue" | "settings" | "look-up" | "hand-over" | "doctor" | "sheet" | "camera"} ScreenName */
/** @typedef {{ told: (told: Told) => void, changed: () => void, go: (screen: ScreenName) => void }} Out */

/**
 * @typedef {{ lang: import("./words.js").Lang, look: "light" | "dark", prefix: string, suffix: "Enter" | "Tab" | "",
 *   gsKeys: string[], gsTokens: string[] }} Settings
 *
 * What is known of the program and its place; `free` is the part of the storage that is free.
 * `isOffline` says that it starts with no network.
 * @typedef {{ version: string, storage: { persisted: boolean, free: number | null, isPrivate: boolean }, isOffline: boolean,
 *   keep: (settings: Settings) => void, look: () => Promise<void> }} About
 */

/**
 * @typedef {{ camera: import("./tools.js").CameraScreen, doctor: import("./tools.js").DoctorScreen,
 *   screens: Record<"hand-over" | "look-up" | "queue" | "settings" | "sheet", (app: App) => HTMLElement[]> }} Tools
 */

export {};
