// The scratch databases of a run: ours are copies of one migrated template, a rival's are empty. All are dropped.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { parse } from "yaml";

const root = new URL("../../../", import.meta.url);
const read = (path) => readFile(new URL(path, root), "utf8");

export const connect = (url, options = {}) =>
  postgres(url, { max: 1, onnotice: () => {}, fetch_types: false, ...options });

export function urlOf(server, name) {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function migrate(url) {
  const owner = connect(url);
  try {
    await owner.unsafe(await read("scripts/stack/platform.sql"));
    for (const file of (await readdir(new URL("migrations/", root))).sort()) {
      await owner.unsafe(await read(`migrations/${file}`));
    }
    const policy = await read("policies/policy.yaml");
    await owner.unsafe("select api.activate_policy($1, $2::text::jsonb, 'bench')", [
      policy,
      JSON.stringify(parse(policy)),
    ]);
    return createHash("sha256").update(policy).digest("hex");
  } finally {
    await owner.end();
  }
}

export function openDatabases(server) {
  const admin = connect(server);
  const made = new Set();
  let count = 0;
  let template = null;

  async function create(from) {
    const name = `ags_bench_${process.pid}_${count++}`;
    made.add(name);
    await admin.unsafe(`create database ${name} template ${from}`);
    return name;
  }
  /** Whoever has just hung up is let go in peace: a client that is cut off may take its process with it. */
  async function drop(name) {
    for (let tries = 0; tries < 20; tries++) {
      const others = await admin`select 1 from pg_catalog.pg_stat_activity where datname = ${name}`;
      if (others.length === 0) break;
      await sleep(100);
    }
    await admin.unsafe(`drop database if exists ${name} with (force)`);
    made.delete(name);
  }
  async function ours(change = null) {
    if (template === null) {
      const name = await create("template0");
      template = { name, policySha256: await migrate(urlOf(server, name)) };
    }
    const name = await create(template.name);
    const url = urlOf(server, name);
    if (change !== null) {
      const owner = connect(url);
      await owner.unsafe(change).finally(() => owner.end());
    }
    return {
      url,
      policySha256: template.policySha256,
      drop: () => drop(name),
    };
  }
  async function empty() {
    const name = await create("template0");
    return { url: urlOf(server, name), drop: () => drop(name) };
  }
  async function close() {
    for (const name of [...made].reverse()) await drop(name);
    await admin.end({ timeout: 5 });
  }
  return { ours, empty, close };
}

/** Before a measurement: statistics as on a database that has run for a while, and no checkpoint left half done. */
export async function settle(url) {
  const sql = connect(url);
  try {
    await sql.unsafe("vacuum analyze");
    await sql.unsafe("checkpoint");
  } finally {
    await sql.end();
  }
}
