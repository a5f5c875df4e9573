// A migrated database of its own, gone afterwards: on the given server with many sessions, else in this process with one.
import { readdir, readFile } from "node:fs/promises";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import postgres from "postgres";

const root = new URL("../../", import.meta.url);
export const read = (path) => readFile(new URL(path, root), "utf8");

async function migrate(run) {
  await run(await read("scripts/stack/platform.sql"));
  for (const file of (await readdir(new URL("migrations/", root))).sort()) {
    await run(await read(`migrations/${file}`)).catch((error) => {
      throw new Error(`${file}: ${error.message}`);
    });
  }
}

/** `api.name(p_a => $1, …)`, since that is how the platform calls. */
const callOf = (name, args) => [
  `select api.${name}(${Object.keys(args).map((key, i) => `${key} => $${i + 1}`)}) as answer`,
  Object.values(args),
];

const asJson = (value) => typeof value === "string" ? value : JSON.stringify(value);
const types = {
  json: { to: 114, from: [114], serialize: asJson, parse: JSON.parse },
  jsonb: { to: 3802, from: [3802], serialize: asJson, parse: JSON.parse },
};

async function openNative(url, sessions) {
  const name = `ags_stop_${process.pid}`;
  const own = new URL(url);
  own.pathname = `/${name}`;
  const connect = (address, max, connection = {}) =>
    postgres(address, { max, onnotice: () => {}, connection, types });
  const admin = connect(url, 1);
  await admin.unsafe(`create database ${name}`);
  const owner = connect(own.href, 2);
  await migrate((text) => owner.unsafe(text).simple());
  const pools = {};
  const pool = (role) =>
    pools[role] ??= connect(own.href, role === "service_role" ? sessions : 1, { role });
  const [{ server_version }] = await owner.unsafe("show server_version");
  return {
    kind: `PostgreSQL ${server_version}, ${sessions} sessions`,
    /** The same database for whoever connects by itself. */
    url: own.href,
    sessions,
    owner: (text, params = []) => owner.unsafe(text, params),
    async call(name, args, role = "service_role") {
      const [{ answer }] = await pool(role).unsafe(...callOf(name, args));
      return answer;
    },
    async close() {
      await Promise.all([...Object.values(pools), owner].map((sql) => sql.end({ timeout: 5 })));
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

async function openEmbedded() {
  const pg = await PGlite.create({ extensions: { vector } });
  await migrate((text) => pg.exec(text));
  return {
    kind: "PGlite in this process, one session",
    sessions: 1,
    owner: async (text, params = []) => (await pg.query(text, params)).rows,
    call: (name, args, role = "service_role") =>
      pg.transaction(async (tx) => {
        await tx.exec(`set local role ${role}`);
        return (await tx.query(...callOf(name, args))).rows[0].answer;
      }),
    close: () => pg.close(),
  };
}

export const openScratch = (url, sessions) => url ? openNative(url, sessions) : openEmbedded();
