import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { exists, openEmbedded, unlessMissing } from "../stack/embedded.ts";
import { lockDirectory } from "../stack/lock.ts";
import { Sentence } from "../stack/sentence.ts";
import { openSnapshot } from "../stack/snapshot.ts";
import { ask, databaseUrl, dataDir } from "./holder.ts";

/** One consistent file, whether the platform runs or not. Secrets are not in it: secrets.env is kept apart. */
export async function backup(file: string, options: { force?: boolean }): Promise<void> {
  const url = databaseUrl();
  if (!options.force && await exists(file)) {
    throw new Sentence(`${file} exists. Choose another name, or say --force.`);
  }
  if (url !== null) {
    const shown = `pg_dump --format=custom --file=${file} "$DATABASE_URL"`;
    // What pg_dump had begun when it failed is no backup, and must not be taken for one.
    return await run(url, "pg_dump", ["--format=custom", `--file=${file}`], shown).catch(
      async (error) => {
        await Deno.remove(file).catch(unlessMissing);
        throw error;
      },
    );
  }
  const path = await ask<string>("snapshot", { compression: "gzip" });
  try {
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(file, bytes, { mode: 0o600 });
    console.log(
      `${file}: ${
        Math.ceil(bytes.length / 1024)
      } KiB. It holds every row and no secret; test it with restore on another DATA_DIR.`,
    );
  } finally {
    await Deno.remove(path);
  }
}

/** Into an empty DATA_DIR, or with --force beside what was there, which is kept under another name. */
export async function restore(file: string, options: { force?: boolean }): Promise<void> {
  const url = databaseUrl();
  if (url !== null) {
    const args = ["--exit-on-error", "--single-transaction"];
    const shown = `pg_restore ${args.join(" ")} --dbname="$DATABASE_URL" ${file}`;
    return await run(url, "pg_restore", [...args, file], shown);
  }
  const bytes = await Deno.readFile(file).catch((error) => {
    throw new Sentence(`${file} cannot be read (${error.message}).`);
  });
  const lock = await lockDirectory(dataDir(), "npm run ags -- restore");
  try {
    await replace(new Blob([bytes]), options.force === true);
  } finally {
    await lock.release();
  }
}

async function replace(dump: Blob, force: boolean): Promise<void> {
  const target = `${dataDir()}/db`;
  const isThere = await exists(target);
  if (isThere && !force) {
    throw new Sentence(
      `${target} is not empty. Restore into another DATA_DIR, or say --force: what is there is kept aside.`,
    );
  }
  // Read it once in memory before anything is moved: a damaged file must not cost the database that works.
  const trial = await openSnapshot(dump).catch((error) => {
    throw new Sentence(
      `This is no backup that can be opened (${error instanceof Error ? error.message : error}).`,
    );
  });
  const { rows: [{ tasks }] } = await trial.query<{ tasks: number }>(
    "select count(*)::int as tasks from public.tasks",
  );
  const plain = await trial.dumpDataDir("none");
  await trial.close();
  const aside = `${target}.before-${new Date().toISOString().replace(/[:.]/g, "-")}`;
  if (isThere) await Deno.rename(target, aside);
  try {
    await unpack(plain, target);
    await (await openEmbedded(dataDir())).close();
  } catch (error) {
    await Deno.remove(target, { recursive: true }).catch(unlessMissing);
    if (isThere) await Deno.rename(aside, target);
    throw error;
  }
  console.log(
    `Restored, with ${tasks === 1 ? "1 task" : `${tasks} tasks`}.${
      isThere ? ` What was there is kept as ${aside}.` : ""
    } Go on with npm start.`,
  );
}

async function unpack(dump: Blob, directory: string): Promise<void> {
  const pg = await PGlite.create({ dataDir: directory, loadDataDir: dump, extensions: { vector } });
  await pg.close();
}

/**
 * A Postgres has its own tools, and they know it better. The password goes by the environment, since every user of the
 * machine can read an argument.
 */
async function run(url: string, program: string, args: string[], shown: string): Promise<void> {
  const address = new URL(url);
  const password = decodeURIComponent(address.password);
  address.password = "";
  let ended: Deno.CommandStatus;
  try {
    ended = await new Deno.Command(program, {
      args: [`--dbname=${address.href}`, ...args],
      env: password ? { PGPASSWORD: password } : {},
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) {
      throw new Sentence(`${program} is not installed here. Where it is, run: ${shown}`);
    }
    throw error;
  }
  if (!ended.success) {
    throw new Sentence(`${program} ended with ${ended.code}. What should run: ${shown}`);
  }
  console.log(`Done: ${shown}`);
}
