import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { fullOutside } from "../support/outside.ts";
import { plantRows } from "../support/planted.ts";
import { asking, booksOf } from "../support/served.ts";

const paths = [
  "/command",
  "/command/agents?q=x&sort=name",
  "/command/reviews?only=judgement",
  "/command/cron?only=drifting",
  "/command/board?tier=T3&sort=oldest",
  "/command/kpis?window=1+h",
  "/command/memory",
  "/command/tasks/T-2026-11-21-0002",
];

describe("looking", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await openTestDatabase();
    await plantRows(db);
  });
  afterAll(() => db.close());

  /** Every row of every table as it stands, and every counter of what was ever written. */
  const everything = async (): Promise<Record<string, string>> => {
    const tables = await db.owner<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('public', 'private', 'command_center', 'api', 'auth') and c.relkind = 'r' order by 1`,
    );
    const sums: Record<string, string> = {};
    for (const { name } of tables) {
      const [row] = await db.owner<{ sum: string }>(
        `select count(*) || ':' || coalesce(md5(string_agg(t.xmin::text || t::text, '|' order by t::text)), '') as sum from ${name} t`,
      );
      sums[name] = row.sum;
    }
    const [numbers] = await db.owner<{ sum: string }>(
      `select string_agg(sequencename || coalesce(last_value, 0), ',' order by sequencename) as sum from pg_sequences`,
    );
    return { ...sums, sequences: numbers.sum };
  };

  it(
    "a thousand times at every view changes no row of any table and uses up no number",
    async () => {
      const before = await everything();
      expect(Object.keys(before).length).toBeGreaterThan(40);
      const ask = await asking(booksOf(db), fullOutside());
      for (let i = 0; i < 1000; i++) {
        const answer = await ask(paths[i % paths.length]);
        expect(answer.status).toBe(200);
        await answer.text();
      }
      expect(await everything()).toEqual(before);
    },
    240_000,
  );
});
