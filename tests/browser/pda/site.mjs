// Where the tests of the web app take place: the program (`program.mjs`), and on it, made by its own
// operations, a maker of formula with goods of several kinds. One for a file of tests, since it takes
// seconds; each device of a test gets a shop of its own, so that no test finds another's cards or badges.

import { after } from "node:test";
import { office } from "../shift/office.mjs";
import { program } from "./program.mjs";
import { source } from "./shared.mjs";

const PASSWORD = "correct horse battery";
/** Who makes devices. */
export const OFFICER = { username: "acme.admin", password: PASSWORD };
/** GS1 sets prefix 952 aside for examples. */
const PREFIX = "9521234";
const DAY_MS = 86_400_000;

const day = (days) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

/** A GTIN-14 from its first 13 digits. */
export function gtin(body) {
  const sum = [...body].reduce((sum, digit, at) => sum + Number(digit) * (at % 2 === 0 ? 3 : 1), 0);
  return `${body}${(10 - (sum % 10)) % 10}`;
}
/** The tin, the case of them, and the bottle of the care product. */
export const [TIN, CASE, BOTTLE] = ["0952123400001", "1952123400001", "0952123400002"].map(gtin);

/** What a label says in the brackets of GS1, of the address that is printed on it. */
function bracketed(url) {
  const { pathname, searchParams } = new URL(url);
  const parts = pathname.split("/").slice(1);
  const said = Object.fromEntries(parts.flatMap((part, at) => (at % 2 === 0 ? [[part, decodeURIComponent(parts[at + 1])]] : [])));
  for (const [ai, value] of searchParams) said[ai] = value;
  return ["00", "01", "10", "17", "21"].flatMap((ai) => (said[ai] === undefined ? [] : [`(${ai})${said[ai]}`])).join("");
}

/** The labels of a print file. */
const labels = (printed) => printed.trim().split("\n").slice(1).map((line) => bracketed(line.split(",").at(-1)));

/** Makes the world. */
async function made(it) {
  const platform = office(it.base, it.authority);
  if ((await platform.call("GET", "/app/precache.js")) !== source("api/src/pda/app/precache.js")) {
    throw new Error("the program has other files of the app than this source: build it anew with `cargo build -p suyuan`");
  }
  const form = new URLSearchParams({ token: it.setup, username: "platform.admin", password: PASSWORD });
  await platform.call("POST", "/setup", form);
  await platform.signIn({ username: "platform.admin", password: PASSWORD });
  const { id: enterprise } = await platform.call("POST", "/v1/enterprises", { code: "ACME", name: "晨牧乳业", gs1_prefixes: [PREFIX] });
  await platform.call("POST", "/v1/users", { ...OFFICER, role: "enterprise_admin", enterprise_id: enterprise });
  const desk = office(it.base, it.authority);
  await desk.signIn(OFFICER);
  const make = async (path, body) => (await desk.call("POST", path, body)).id;
  const place = (code, kind, name) => make("/v1/locations", { code, kind, name });
  const plant = await place("PT-1", "plant", "呼和浩特工厂");
  const tins = await make("/v1/products", { code: "CM-3", name: "三段奶粉", profile: "infant-formula", gtin: TIN, case_gtin: CASE });
  await make("/v1/products", { code: "RY-2", name: "沐浴露", profile: "maternal-baby-care", category: "infant-care", gtin: BOTTLE });
  const batch = (product_id, lot, production_date, expiry_date) => make("/v1/batches", { product_id, lot, production_date, expiry_date });
  const [good, old] = [await batch(tins, "L7", day(-60), day(900)), await batch(tins, "L0", day(-900), day(-30))];
  /** So many codes of a product, in use, as their labels say. */
  const goods = async (product_id, batch_id, count, level) => {
    const { id } = await desk.call("POST", "/v1/segments", { product_id, count, ...(level && { level }) });
    await desk.call("POST", "/v1/commissions", { batch_id, ranges: [{ segment_id: id }] });
    const printed = await desk.call("GET", `/v1/segments/${id}/codes?batch_id=${batch_id}`);
    return labels(printed);
  };
  /** Numbers for logistic units. */
  const pallets = async (count) => {
    const { id } = await desk.call("POST", "/v1/segments", { gs1_prefix: PREFIX, count });
    return labels(await desk.call("GET", `/v1/segments/${id}/codes`));
  };
  return { enterprise, platform, pallets, plant, desk, place, make, goods, tins, good, old };
}

/** Goods by any name: each stands for a label of its own, the same whenever it is said. */
function named(labels) {
  const given = new Map();
  return (name) => {
    if (!given.has(name)) {
      if (labels.length === 0) throw new Error("no goods are left");
      given.set(name, labels.shift());
    }
    return given.get(name);
  };
}

/** What a label's serial is. */
export const serialOf = (label) => label.slice(label.lastIndexOf(")") + 1);

/** The site, once somebody asked for it; and its goods, once it stands. */
let standing = null;
let stands = null;
let isPostgres = false;

/** What a tin's label says, a tin's past its date, a case's and a pallet's: by any name, once the site stands. */
export const code = (name) => stands.tin(name);
export const expired = (name) => stands.expired(name);
export const box = (name) => stands.box(name);
export const pallet = (name) => stands.pallet(name);
/** A tin's label as it is printed before anybody knows its batch: neither lot nor date. */
export const undated = (name) => code(name).replace(/\(10\).*(?=\(21\))/, "");
/** The serial of a tin. */
export const serial = (name) => serialOf(code(name));

/** This file's site is on PostgreSQL, where the tests have one. */
export function onPostgres() {
  isPostgres = Boolean(process.env.SUYUAN_TEST_POSTGRES);
}

/** The site of this file of tests; made when it is first asked for. */
export function site() {
  standing ??= begun();
  return standing;
}

async function begun() {
  const it = await program({ isPostgres });
  try {
    const world = await made(it);
    stands = {
      tin: named(await world.goods(world.tins, world.good, 600)),
      expired: named(await world.goods(world.tins, world.old, 40)),
      box: named(await world.goods(world.tins, world.good, 40, "case")),
      pallet: named(await world.pallets(10)),
    };
    let shops = 0;
    return {
      ...it,
      ...world,
      /** A shop where nobody works yet. */
      async shop() {
        shops += 1;
        const name = `西城店 ${shops}`;
        return { place: await world.place(`ST-${shops}`, "store", name), name };
      },
      /** A device of a place, with what an officer holds up for it. */
      async device(location_id, profile = "till") {
        const { device, ticket } = await world.desk.call("POST", "/v1/devices", { name: `${profile} ${shops}`, profile, location_id });
        return { id: device.id, ticket: ticket.text };
      },
    };
  } catch (error) {
    await it.end();
    throw error;
  }
}

after(async () => {
  const it = await standing?.catch(() => null);
  await it?.end();
});
