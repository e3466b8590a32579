// Where an officer makes a device, or takes one that lost its key, and shows it the QR code it enrols by. The session lives in this
// page alone: nothing is stored, and what came from the server is shown as text.

import { WORDS } from "./enrol-words.js";

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
function at(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}
const told = at("told", HTMLElement);
const signIn = at("sign-in", HTMLFormElement);
const make = at("make", HTMLFormElement);
const ticket = at("ticket", HTMLElement);

let isEnglish = navigator.language.toLowerCase().startsWith("en");
let session = { access: "", refresh: "" };
/** The device whose code is shown. @type {{ id: string, name: string, epoch: number, until: number } | null} */
let shown = null;

/** @param {string} key */
const word = (key) => WORDS[key]?.[isEnglish ? 1 : 0] ?? key;

/** Something went wrong, with words for people. */
class Refused extends Error {}

/**
 * A call of the API.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {string} [key] under which it is done once, however often it is sent
 * @returns {Promise<any>}
 */
async function call(method, path, body, key) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (session.access) headers.authorization = `Bearer ${session.access}`;
  /** @type {RequestInit} */
  const init = { method, headers, cache: "no-store", credentials: "omit", redirect: "error" };
  if (body !== undefined) {
    headers["content-type"] = "application/json";
    if (key) headers["idempotency-key"] = key;
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init).catch(() => null);
  if (!response) throw new Refused(word("unreached"));
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401 && session.access) {
    session = { access: "", refresh: "" };
    show(signIn);
  }
  const errors = Array.isArray(answer.errors) ? answer.errors : [];
  const said = errors.map((/** @type {any} */ error) => (isEnglish ? error.message : error.message_zh));
  const title = isEnglish ? answer.title : answer.title_zh;
  throw new Refused([title ?? `HTTP ${response.status}`, ...said].join(" "));
}

/** What was pressed and not answered with success yet, with its key. */
let pressed = { asked: "", key: "" };

/**
 * Makes something. The key belongs to what is asked, not to the press: pressed again after an answer that was lost, or behind a new
 * sign-in, the server gives its first answer, and nothing is made twice. A refused request does not use its key up.
 * @param {string} path
 * @param {unknown} body
 */
async function makeOnce(path, body) {
  const asked = JSON.stringify([path, body]);
  if (pressed.asked !== asked) pressed = { asked, key: crypto.randomUUID() };
  const answer = await call("POST", path, body, pressed.key);
  pressed = { asked: "", key: "" };
  return answer;
}

/** Does something, and tells what kept it from being done. @param {() => Promise<void>} act */
async function attempt(act) {
  const buttons = [...document.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  told.textContent = "";
  try {
    await act();
  } catch (error) {
    told.textContent = error instanceof Refused ? error.message : String(error);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

/** @param {HTMLElement} part */
function show(part) {
  for (const other of [signIn, make, ticket]) other.hidden = other !== part;
  if (part !== ticket) shown = null;
  const first = part.querySelector("input, select, h2");
  if (first instanceof HTMLElement) first.focus();
}

function speak() {
  document.documentElement.lang = isEnglish ? "en" : "zh-CN";
  document.title = `${word("title")} · ${isEnglish ? "Suyuan" : "溯源"}`;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = word(element.getAttribute("data-t") ?? "");
  for (const element of document.querySelectorAll("[data-l]")) element.setAttribute("aria-label", word(element.getAttribute("data-l") ?? ""));
  at("qr", HTMLImageElement).alt = word("qr");
  const other = at("language", HTMLButtonElement);
  other.textContent = isEnglish ? "中文" : "English";
  other.lang = isEnglish ? "zh-CN" : "en";
  tick();
}

/** All of a list. @param {string} path @returns {Promise<any[]>} */
async function listed(path) {
  let page = await call("GET", `${path}?limit=500`);
  const all = [...page.items];
  while (page.next) {
    page = await call("GET", `${path}?limit=500&after=${page.next}`);
    all.push(...page.items);
  }
  return all;
}

/** @param {string} name */
function list(name) {
  const found = make.elements.namedItem(name);
  if (!(found instanceof HTMLSelectElement)) throw new Error(`the form has no ${name}`);
  return found;
}

/** What may be chosen: places, and devices there are already. */
async function choices() {
  /** @type {{ id: string, code: string, name: string }[]} */
  const places = await listed("/v1/locations");
  if (places.length === 0) throw new Refused(word("no_places"));
  list("place").replaceChildren(...places.map(({ id, code, name }) => new Option(`${name} (${code})`, id)));
  /** @type {{ id: string, name: string, location_id: string }[]} */
  const devices = await listed("/v1/devices");
  const placeOf = new Map(places.map(({ id, name }) => [id, name]));
  const [made] = list("device").options;
  if (!made) return;
  list("device").replaceChildren(made, ...devices.map(({ id, name, location_id }) => new Option(`${name} · ${placeOf.get(location_id) ?? ""}`, id)));
  chosen();
}

/** Of a device there is already only the code is made. */
function chosen() {
  const isNew = list("device").value === "";
  const fields = at("new", HTMLElement);
  fields.hidden = !isNew;
  at("anew", HTMLElement).hidden = isNew;
  for (const field of fields.querySelectorAll("input, select")) field.toggleAttribute("disabled", !isNew);
}

/** @param {any} made */
function showTicket({ device, ticket: { svg, text, expires_at } }) {
  delete ticket.dataset.done;
  shown = { id: device.id, name: device.name, epoch: device.epoch, until: Date.parse(expires_at) };
  at("device", HTMLElement).textContent = device.name;
  const qr = at("qr", HTMLImageElement);
  qr.hidden = !svg;
  if (svg) qr.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  at("text", HTMLTextAreaElement).value = text;
  const { url } = JSON.parse(text);
  link("app-url", `${url}/app/`);
  link("trust-url", `${url}/app/trust`);
  tick();
  show(ticket);
}

/** @param {string} id @param {string} url */
function link(id, url) {
  const anchor = at(id, HTMLAnchorElement);
  anchor.textContent = url;
  anchor.href = url;
}

/** How long the code still holds. */
function tick() {
  if (!shown) return;
  const state = at("state", HTMLElement);
  const left = Math.max(0, Math.round((shown.until - Date.now()) / 1000));
  const isDone = ticket.dataset.done === shown.id;
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  state.textContent = isDone ? `✓ ${word("enrolled")}` : left > 0 ? `${word("waiting")} ${clock}` : word("over");
  at("qr", HTMLImageElement).classList.toggle("spent", isDone || left === 0);
}

/** Has the device enrolled? */
async function look() {
  const asked = shown;
  if (!asked || ticket.dataset.done === asked.id) return;
  const device = await call("GET", `/v1/devices/${asked.id}`).catch(() => null);
  if (device && shown === asked && device.epoch > asked.epoch) ticket.dataset.done = asked.id;
}

async function fingerprint() {
  const response = await fetch("/app/authority.json", { cache: "no-store" }).catch(() => null);
  const known = response?.ok ? await response.json() : null;
  at("fingerprint", HTMLElement).hidden = !known;
  at("trust-first", HTMLElement).hidden = !known;
  if (!known) return;
  at("groups", HTMLElement).textContent = known.groups;
  at("words", HTMLElement).textContent = `${known.words_zh} · ${known.words_en}`;
}

/** @param {HTMLFormElement} form @param {string} name */
const given = (form, name) => String(new FormData(form).get(name) ?? "");

signIn.addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt(async () => {
    const asked = { username: given(signIn, "username"), password: given(signIn, "password") };
    const { access_token, refresh_token } = await call("POST", "/v1/sessions", asked);
    session = { access: access_token, refresh: refresh_token };
    signIn.reset();
    await choices();
    show(make);
  });
});
make.addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt(async () => {
    const device = given(make, "device");
    const asked = { name: given(make, "name"), profile: given(make, "profile"), location_id: given(make, "place") };
    showTicket(await (device ? makeOnce(`/v1/devices/${device}/tickets`, {}) : makeOnce("/v1/devices", asked)));
  });
});
at("again", HTMLButtonElement).addEventListener("click", () =>
  attempt(async () => {
    if (!shown) return;
    showTicket(await makeOnce(`/v1/devices/${shown.id}/tickets`, {}));
  }),
);
list("device").addEventListener("change", chosen);
at("next", HTMLButtonElement).addEventListener("click", () =>
  attempt(async () => {
    const name = make.elements.namedItem("name");
    if (name instanceof HTMLInputElement) name.value = "";
    await choices();
    show(make);
  }),
);
at("sign-out", HTMLButtonElement).addEventListener("click", () =>
  attempt(async () => {
    const { refresh } = session;
    session = { access: "", refresh: "" };
    show(signIn);
    told.textContent = word("signed_out");
    await call("DELETE", "/v1/sessions", { refresh_token: refresh });
  }),
);
at("language", HTMLButtonElement).addEventListener("click", () => {
  isEnglish = !isEnglish;
  speak();
});
setInterval(tick, 1000);
setInterval(() => void look(), 2000);
speak();
show(signIn);
void fingerprint();
