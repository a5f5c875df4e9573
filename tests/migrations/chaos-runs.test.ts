import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { administer } from "../support/personas.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const record = (
  name: string,
  seconds: number,
  evidence: unknown = { injected: "x", observed: "y" },
) =>
  administer(db, "record_chaos_run($1, $2, true, 'tool-failure', $3, 'cli:olga')", [
    name,
    seconds,
    JSON.stringify(evidence),
  ]);

describe("a chaos run", () => {
  it.each([
    ["of a case that nobody knows", "fire", 5, undefined],
    ["that took longer than an hour", "tool-down", 3601, undefined],
    ["that says nothing of what was seen", "tool-down", 5, { injected: "x" }],
  ])("%s is not recorded", async (_, name, seconds, evidence) => {
    expect(await record(name, seconds, evidence)).toMatchObject({ refused: "invalid_request" });
  });

  it("past the command is held to the same, and stays as it was written", async () => {
    const insert = (set: string) =>
      db.owner(
        `insert into public.chaos_runs (case_name, started_at, ended_at, recovered, runbook, evidence, run_by) values (${set})`,
      );
    await expect(insert("'fire', now(), now(), true, 'x', '{\"injected\":1,\"observed\":1}', 'x'"))
      .rejects.toThrow("chaos_case_is_known");
    await expect(insert("'tool-down', now(), now(), true, 'x', '{}', 'x'"))
      .rejects.toThrow("chaos_has_evidence");
    await record("tool-down", 5);
    await expect(db.owner("update public.chaos_runs set recovered = false")).rejects.toThrow(
      "not allowed",
    );
  });

  it("is recorded with who made it and an audit row", async () => {
    expect(await record("slow-bus", 7)).toMatchObject({ case: "slow-bus", recovered: true });
    const rows = await db.owner(
      "select c.run_by, extract(epoch from c.ended_at - c.started_at)::int as seconds, a.actor from public.chaos_runs c join public.audit_logs a on a.object = 'chaos:' || c.id where c.case_name = 'slow-bus'",
    );
    expect(rows).toEqual([{ run_by: "cli:olga", seconds: 7, actor: "cli:olga" }]);
  });
});
