import { stat } from "node:fs/promises";
import { expect, it } from "vitest";
import { db } from "./people.ts";

interface Boundary {
  boundary_id: string;
  group_name: string;
  enforced_by: string;
}

const boundaries = () =>
  db.owner<Boundary>(
    "select boundary_id, group_name, enforced_by from public.risk_boundaries order by position",
  );

/** A table or function of ours, or a test of this tree. */
async function isThere(name: string): Promise<boolean> {
  if (name.startsWith("tests/")) {
    return await stat(new URL(`../../${name}`, import.meta.url)).then(() => true, () => false);
  }
  const [schema, object] = name.split(".");
  const rows = await db.owner(
    `select 1 from pg_proc where pronamespace = $1::regnamespace and proname = $2
     union all select 1 from pg_class where relnamespace = $1::regnamespace and relname = $2`,
    [schema, object],
  );
  return rows.length > 0;
}

it("a boundary that nothing holds is noticed", async () => {
  expect(await isThere("private.nothing")).toBe(false);
  expect(await isThere("tests/migrations/nothing.test.ts")).toBe(false);
});

it("the thirteen boundaries are each held by something that is there", async () => {
  const rows = await boundaries();
  expect(rows).toHaveLength(13);
  for (const { boundary_id, enforced_by } of rows) {
    expect(await isThere(enforced_by), `${boundary_id}: ${enforced_by}`).toBe(true);
  }
});

it("they are four guardrails, four access rules, four acts no agent may do, and the check for unsafe scopes", async () => {
  const rows = await boundaries();
  const count = (group: string) => rows.filter(({ group_name }) => group_name === group).length;
  expect(["guardrail", "access_rule", "blocked_autonomy", "scope_check"].map(count))
    .toEqual([4, 4, 4, 1]);
});

it("no boundary is struck off or reworded", async () => {
  for (
    const sql of [
      "delete from public.risk_boundaries",
      "update public.risk_boundaries set rule = 'anything goes'",
      "truncate public.risk_boundaries",
    ]
  ) await expect(db.owner(sql), sql).rejects.toMatchObject({ code: "AGHIS" });
});
