import { readdir, readFile } from "node:fs/promises";

const directory = new URL("invariants/", import.meta.url);

export interface Invariant {
  id: string;
  /** The first line of its file. */
  promise: string;
  sql: string;
}

/** Invariants whose surface does not exist yet, and the requirement that brings it. */
export const pendingInvariants: Record<string, string> = {
  I8:
    "an external checkpoint is a prefix of the log: no checkpoint leaves the database yet (AUD-02)",
};

export async function loadInvariants(): Promise<Invariant[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  return await Promise.all(names.map(async (name) => {
    const sql = await readFile(new URL(name, directory), "utf8");
    const [, id, promise] = /^-- (I\d+): (.+)$/m.exec(sql) ?? [];
    if (!id) throw new Error(`${name} does not begin with its number and its promise`);
    return { id, promise, sql };
  }));
}

/** What the database cannot know of itself. */
export interface Outside {
  /** Keys of the effects that a receiver saw, as often as it saw them. */
  sink: string[];
  /** Tasks that a caller was told of. */
  acknowledged: string[];
  canaries: string[];
  said: { place: string; text: string }[];
}

export const nothingOutside: Outside = { sink: [], acknowledged: [], canaries: [], said: [] };

export interface Session {
  run(text: string, params?: unknown[]): Promise<Record<string, unknown>[]>;
}

export interface Breach {
  invariant: string;
  finding: string;
  object: string;
}

/** In one transaction of a superuser that the caller takes back. */
export async function breaches(
  session: Session,
  invariants: readonly Invariant[],
  outside: Outside = nothingOutside,
): Promise<Breach[]> {
  await session.run("create temporary table sink (effect_key text) on commit drop");
  await session.run("create temporary table acknowledged (task_id text) on commit drop");
  await session.run("create temporary table canaries (word text) on commit drop");
  await session.run("create temporary table said (place text, text text) on commit drop");
  const fill = (table: string, rows: unknown[]) =>
    session.run(
      `insert into pg_temp.${table} select * from jsonb_to_recordset($1::jsonb) as r(${
        columns[table]
      })`,
      [
        JSON.stringify(rows),
      ],
    );
  await fill("sink", outside.sink.map((effect_key) => ({ effect_key })));
  await fill("acknowledged", outside.acknowledged.map((task_id) => ({ task_id })));
  await fill("canaries", outside.canaries.map((word) => ({ word })));
  await fill("said", outside.said);
  if (outside.canaries.length > 0) await rememberTables(session);
  const found: Breach[] = [];
  for (const { id, sql } of invariants) {
    for (const { finding, object } of await session.run(sql)) {
      found.push({ invariant: id, finding: String(finding), object: String(object) });
    }
  }
  return found;
}

/** Whatever table is added later is looked into as well. */
async function rememberTables(session: Session): Promise<void> {
  const tables = await session.run(
    `select c.oid::regclass::text as name from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
  );
  for (const { name } of tables) {
    await session.run(
      `insert into pg_temp.said select $1, to_jsonb(t)::text from ${name} t`,
      [name],
    );
  }
}

const columns: Record<string, string> = {
  sink: "effect_key text",
  acknowledged: "task_id text",
  canaries: "word text",
  said: "place text, text text",
};

/** A few words for the table. */
export const told = (found: readonly Breach[]): string =>
  found.slice(0, 3).map(({ invariant, finding, object }) => `${invariant}: ${finding} (${object})`)
    .join("; ") +
  (found.length > 3 ? ` and ${found.length - 3} more` : "");
