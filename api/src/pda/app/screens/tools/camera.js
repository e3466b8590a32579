// The camera as a scanner: by the browser's own detector where there is one, otherwise a photo that the
// server reads while there is a network.
//
// A code in view is read once, until it was out of view; two codes in view are none, since nobody could
// say which was meant.

import { h } from "../view.js";
import { codesIn } from "./hand-in.js";

/** @typedef {import("../app.js").App} App */

/** Kinds of codes that trace codes and commands are printed as. */
const FORMATS = ["qr_code", "data_matrix", "code_128", "ean_13", "ean_8", "itf", "upc_a", "upc_e"];
const LOOK_EVERY_MS = 150;
/** A code that was not seen for so long is a new one. */
const GONE_MS = 1200;
/** Longest side of a photo that is sent, and its quality. */
const PHOTO_PX = 2048;
const PHOTO_QUALITY = 0.85;

export class CameraScreen {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.isOpening = false;
    this.isReading = false;
    /** @type {string | null} */
    this.fault = null;
    this.hasTorch = false;
    this.isLit = false;
    /** @type {HTMLVideoElement | null} */
    this.video = null;
    /** What is in view, with when it was seen last. @type {Map<string, number>} */
    this.seen = new Map();
    this.life = 0;
  }

  /** Whether the browser reads codes by itself. */
  get hasDetector() {
    return "BarcodeDetector" in globalThis && Boolean(navigator.mediaDevices?.getUserMedia);
  }

  draw() {
    const { app } = this;
    if (this.hasDetector && !this.stream && !this.isOpening && !this.fault) void this.#open();
    const photo = h("input", {
      id: "photo",
      type: "file",
      accept: "image/*",
      capture: "environment",
      change: (event) => void this.#photo(event.target),
    });
    return [
      h(
        "main",
        {},
        h("h1", {}, app.say("camera")),
        app.told(),
        this.fault ? h("p", { class: "told warn", role: "alert" }, app.say(this.fault)) : null,
        this.isReading ? h("p", {}, app.say("photo_reading")) : null,
        this.hasDetector ? this.#view() : h("p", {}, h("label", { for: "photo" }, app.say(navigator.onLine ? "photo_how" : "photo_offline")), photo),
        h(
          "div",
          { class: "grid" },
          this.hasTorch ? app.button("torch", () => this.#torch()) : null,
          app.button("back", () => this.#back(), "main"),
        ),
      ),
    ];
  }

  #back() {
    const { enrolment, session } = this.app;
    if (session.driver && !enrolment?.isReading) this.app.back();
    else this.app.go("enrol");
  }

  /** One element over all drawings: a stream goes on in it. */
  #view() {
    if (!this.video) {
      this.video = document.createElement("video");
      this.video.muted = true;
      this.video.playsInline = true;
      this.video.setAttribute("aria-label", this.app.say("camera"));
    }
    // Taken off the page and put back, it stands still.
    if (this.stream) queueMicrotask(() => void this.video?.play().catch(() => {}));
    return this.video;
  }

  async #open() {
    this.isOpening = true;
    const life = (this.life += 1);
    try {
      const video = { facingMode: { ideal: "environment" }, width: { ideal: 1280 } };
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (life !== this.life) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      this.stream = stream;
      if (this.video) this.video.srcObject = stream;
      const [track] = stream.getVideoTracks();
      this.hasTorch = Boolean(/** @type {any} */ (track?.getCapabilities?.() ?? {}).torch);
      const kinds = /** @type {any} */ (globalThis).BarcodeDetector;
      const known = await kinds.getSupportedFormats();
      const detector = new kinds({ formats: FORMATS.filter((format) => known.includes(format)) });
      void this.#look(detector, life);
    } catch {
      this.fault = "camera_refused";
    } finally {
      this.isOpening = false;
      this.app.draw();
    }
  }

  /** @param {{ detect: (source: HTMLVideoElement) => Promise<{ rawValue: string }[]> }} detector @param {number} life */
  async #look(detector, life) {
    while (life === this.life && this.stream) {
      const found = this.video && this.video.readyState >= 2 ? await detector.detect(this.video).catch(() => []) : [];
      if (life === this.life) this.#found([...new Set(found.map(({ rawValue }) => rawValue))]);
      await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
    }
  }

  /** @param {string[]} texts */
  #found(texts) {
    const now = performance.now();
    for (const [text, at] of this.seen) if (now - at > GONE_MS) this.seen.delete(text);
    const fresh = texts.filter((text) => !this.seen.has(text));
    for (const text of texts) this.seen.set(text, now);
    const [text] = fresh;
    if (text === undefined) return;
    if (texts.length > 1) this.app.tell({ sound: "warn", words: ["two_in_view"] });
    else this.#read(text);
  }

  /** @param {string} text */
  #read(text) {
    const { enrolment, session } = this.app;
    if (session.driver && !enrolment?.isReading) this.app.read(text, "camera");
    else void enrolment?.enrol(text);
  }

  /** @param {EventTarget | null} field */
  async #photo(field) {
    const file = field instanceof HTMLInputElement ? field.files?.[0] : undefined;
    if (!file) return;
    this.isReading = true;
    this.app.draw();
    const read = await smaller(file).then(
      (photo) => codesIn(this.app.session.driver, photo),
      () => ({ ok: /** @type {const} */ (false), why: "photo_damaged" }),
    );
    this.isReading = false;
    if (!read.ok) this.app.tell({ sound: "warn", words: [read.why] });
    else if (read.codes.length > 1) this.app.tell({ sound: "warn", words: ["two_in_view"] });
    else this.#read(read.codes[0] ?? "");
  }

  async #torch() {
    this.isLit = !this.isLit;
    const [track] = this.stream?.getVideoTracks() ?? [];
    await track?.applyConstraints(/** @type {any} */ ({ advanced: [{ torch: this.isLit }] })).catch(() => {});
  }

  /** The camera is let go. */
  close() {
    this.life += 1;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.hasTorch = this.isLit = false;
    this.fault = null;
    this.seen.clear();
    if (this.video) this.video.srcObject = null;
  }
}

/** A photo as small as the server's reader likes it. @param {Blob} file */
async function smaller(file) {
  const image = await createImageBitmap(file);
  const scale = Math.min(1, PHOTO_PX / Math.max(image.width, image.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(image.width * scale)), Math.max(1, Math.round(image.height * scale)));
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality: PHOTO_QUALITY });
}
