import { readFileSync } from "node:fs";
import type { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrate } from "../../scripts/stack/migrate.ts";
import { embeddedMigrator } from "../../scripts/stack/migrators.ts";
import { freezeClock } from "../support/clock.ts";
import {
  migrations,
  openBareDatabase,
  type TestDatabase,
  testDatabase,
} from "../support/database.ts";
import {
  claim,
  claimPublish,
  decide,
  openCode,
  policy,
  policySha256,
  policyText,
  reserve,
  start,
  statusOf,
} from "../support/line.ts";

/** What a database held on the day its last migration was 0023: tasks at every stage, an effect under way and one unknown. */
const landed: {
  rows: Record<string, Record<string, unknown>[]>;
  sequences: { name: string; value: string }[];
} = JSON
  .parse(readFileSync(new URL("../fixtures/landed/0023.json", import.meta.url), "utf8"));

const lastLanded = "0023";
let pg: PGlite;
let db: TestDatabase;

beforeAll(async () => {
  const files = await migrations();
  pg = await openBareDatabase();
  await migrate(embeddedMigrator(pg), files.filter(({ version }) => version <= lastLanded));
  await pg.exec("set session_replication_role = replica");
  for (const [table, rows] of Object.entries(landed.rows)) {
    await pg.query(
      `insert into ${table} overriding system value select r.* from jsonb_populate_recordset(null::${table}, $1) r
       on conflict do nothing`,
      [JSON.stringify(rows)],
    );
  }
  for (const { name, value } of landed.sequences) {
    await pg.query("select setval($1::regclass, $2::bigint)", [name, value]);
  }
  // An administrator of that release could set this, and nothing read it.
  await pg.exec(
    "insert into public.feature_flags (key, enabled, updated_by, reason) values ('t3_execution_enabled', true, 'cli:ada', 'early')",
  );
  await pg.exec("set session_replication_role = origin");
  await migrate(embeddedMigrator(pg), files);
  db = await testDatabase(pg);
  // The day goes on where it stood: what waits for an answer has not lapsed.
  const times = landed.rows["public.tasks"].map(({ created_at }) => String(created_at)).sort();
  await freezeClock(db, new Date(Date.parse(times.at(-1)!) + 60_000).toISOString());
});
afterAll(() => db?.close());

const taskIn = (status: string): string =>
  String(landed.rows["public.tasks"].find((row) => row.status === status)?.task_id);

describe("a database of the day 0023 was the last migration", () => {
  it.each(Object.keys(landed.rows))("keeps every row of %s as it was", async (table) => {
    const now = await db.owner<{ row: Record<string, unknown> }>(
      `select to_jsonb(t) as row from ${table} t`,
    );
    const kept = now.map(({ row }) => row);
    for (const row of landed.rows[table]) {
      expect(kept).toContainEqual(expect.objectContaining(row));
    }
  });

  it("has T3 switched off, whoever had switched it on", async () => {
    expect(await db.owner("select enabled, updated_by from public.feature_flags")).toEqual([
      { enabled: false, updated_by: "migration" },
    ]);
  });

  it("takes the policy of this release once, by its administrator", async () => {
    const [{ answer }] = await db.as<{ answer: unknown }>(
      "administrator",
      "select api.activate_policy($1, $2, 'test') as answer",
      [policyText, JSON.stringify(policy)],
    );
    expect(answer).toEqual({ policy_sha256: policySha256, status: "active", changed: true });
  });

  it("asks anew about what waited for an answer, since more is bound now, and publishes it", async () => {
    const taskId = taskIn("awaiting_approval");
    expect(await decide(db, "1001", await openCode(db, taskId), "approve", { update_id: "900001" }))
      .toMatchObject({
        refused: "digest_drift",
      });
    expect(await decide(db, "1001", await openCode(db, taskId), "approve", { update_id: "900002" }))
      .toMatchObject({
        status: "approved",
      });
    const work = await claimPublish(db, taskId);
    const { effect_id } = await reserve(db, work!);
    expect(await start(db, effect_id, work!)).toEqual({ status: "sent" });
  });

  it("leaves the unknown outcome unknown and the archive frozen", async () => {
    expect(await statusOf(db, taskIn("paused"))).toBe("paused");
    await expect(
      db.owner("update public.tasks set goal = 'x' where task_id = $1", [taskIn("archived")]),
    ).rejects.toThrow(/archived_is_frozen/);
    expect(await claim(db, ["orchestrator"])).toEqual([]);
  });
});
