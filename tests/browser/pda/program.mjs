// The program itself, as the tests of the web app run it: the debug build of `suyuan serve` over TLS with
// what `suyuan cert` makes, on a fresh SQLite file or a fresh database of the tests' PostgreSQL. Nothing
// of the server is played here.

import { spawn, spawnSync } from "node:child_process";
import { X509Certificate, createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { HOST } from "../shift/pda.mjs";

/** Where `cargo build -p suyuan` puts it, unless this run says where. */
const PROGRAM = process.env.SUYUAN_TEST_PROGRAM ?? fileURLToPath(new URL("../../../target/debug/suyuan", import.meta.url));
/** A debug build on a busy machine has started by then, or something is wrong. */
const START_MS_MAX = 120_000;

/** A database that nobody else has. `postgres` is the superuser's address. */
function newDatabase(postgres) {
  const name = `suyuan_pda_${randomBytes(8).toString("hex")}`;
  const made = spawnSync("psql", ["--no-psqlrc", "--quiet", "--command", `CREATE DATABASE ${name}`, postgres], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`psql made no database: ${made.error ?? made.stderr}`);
  return postgres.replace(/[^/]*$/, name);
}

/** A command of the program with these settings: `{ "database.url": … }`; nobody else's reach it. */
function environment(settings) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("SUYUAN__")));
  for (const [name, value] of Object.entries(settings)) env[`SUYUAN__${name.toUpperCase().replace(".", "__")}`] = value;
  return env;
}

/** Starts it; `isPostgres` where the tests have a PostgreSQL. `setup` makes its first administrator, once. */
export async function program({ isPostgres }) {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: these tests run on the real program; build it with \`cargo build -p suyuan\``);
  const folder = await mkdtemp(join(tmpdir(), "suyuan-program-"));
  const file = (name) => join(folder, name);
  const made = spawnSync(PROGRAM, ["cert", "--address", HOST, "127.0.0.1", "--out", folder], { encoding: "utf8", env: environment({}) });
  if (made.status !== 0) throw new Error(`suyuan cert: ${made.error ?? made.stderr}`);
  const settings = {
    "database.url": isPostgres ? newDatabase(process.env.SUYUAN_TEST_POSTGRES) : `sqlite://${file("suyuan.db")}`,
    data_dir: folder,
    "internal.listen": "127.0.0.1:0",
    "public.listen": "127.0.0.1:0",
    "internal.workers": "2",
    "public.workers": "1",
    "internal.tls_certificate": file("server.crt"),
    "internal.tls_key": file("server.key"),
    "internal.tls_authority": file("authority.crt"),
    "handheld.url": `https://${HOST}`,
    // Tests ask fast, and all from one address.
    "limits.enabled": "false",
    "log.level": "suyuan=warn",
    // A debug build reads pictures slowly.
    "photo.read_ms": "20000",
  };
  const child = spawn(PROGRAM, ["serve"], { env: environment(settings), stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const said = [];
  const end = async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  // Nobody ends a test's process more gently than this.
  process.once("exit", () => child.kill("SIGKILL"));
  const found = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the program did not start:\n${said.join("\n")}`)), START_MS_MAX);
    let base = null;
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      base = /^API: +(\S+)\/docs\/$/.exec(line)?.[1] ?? base;
      const token = /^first administrator .*token=(\S+)$/.exec(line)?.[1];
      if (!base || !token) return;
      clearTimeout(late);
      resolve({ base, token });
    });
    void ended.then(() => {
      clearTimeout(late);
      reject(new Error(`the program ended:\n${said.join("\n")}`));
    });
  });
  const [certificate, key, authority] = ["server.crt", "server.key", "authority.crt"].map((name) => readFileSync(file(name)));
  const spki = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  return {
    base: found.base,
    port: Number(new URL(found.base).port),
    setup: found.token,
    certificate,
    key,
    authority,
    /** What a person would have installed: this one key, no other. */
    pin: createHash("sha256").update(spki).digest("base64"),
    /** What it said, for who wonders. */
    said: () => said.join("\n"),
    end,
  };
}
