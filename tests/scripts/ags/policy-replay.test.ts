import type { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decidingPolicyOf } from "../../../functions/_policy/policy-domain.ts";
import { countOf } from "../../../functions/_policy/policy-replay.ts";
import { embeddedReading, pageRows } from "../../../scripts/ags/policy-pages.ts";
import { reportOf } from "../../../scripts/ags/policy-propose.ts";
import { replayFrom, reportText, sinceSql } from "../../../scripts/ags/policy-replay.ts";
import { replayReport } from "../../../functions/_domain/policy-change.ts";
import { openEmbeddedDatabase, type TestDatabase } from "../../support/database.ts";
import { activate, policy, policySha256 } from "../../support/line.ts";

const many = 100_000;
let db: TestDatabase<PGlite>;
beforeAll(async () => {
  db = await openEmbeddedDatabase();
  await activate(db);
  // Each gate in turn, all of them as the shipped policy takes them, over the last 200 days.
  await db.owner(
    `insert into public.policy_decisions (decided_at, gate, policy_sha256, inputs, outcome)
     select now() - make_interval(days => (i % 200)), d.gate, $1,
       case when d.gate = 'reserve' then jsonb_set(d.inputs, '{yes,0,person}', to_jsonb('person ' || i)) else d.inputs end, d.outcome
     from generate_series(0, $2 - 1) i join (values
       (0, 'plan', '{"source": "tradingview", "action": "PUBLISH"}'::jsonb, '{"tier": "T2"}'::jsonb),
       (1, 'evaluate', '{"action": "PUBLISH", "total": "8.00", "score": "0.8889", "flagged": false, "doubted": false}',
         '{"tier": "T2", "threshold": "0.8000", "verdict": "pass"}'),
       (2, 'ask', '{"action": "TRADE", "reduction": false}',
         '{"tier": "T3", "slots": ["operator_approval", "owner_approval"], "dry_run": true, "limits": {"max_positions": "3"}}'),
       (3, 'decide', '{"action": "PUBLISH", "role": "owner", "slots": ["operator_approval"]}', '{"counts": false}'),
       (4, 'reserve', '{"action": "PUBLISH", "total": "9.00", "score": "1.0000", "flagged": false, "doubted": false,
         "yes": [{"person": "a", "role": "operator"}], "dry_run": false, "exceeded": []}', '{"allowed": true}')
     ) d(n, gate, inputs, outcome) on d.n = i % 5`,
    [policySha256, many],
  );
}, 120_000);
afterAll(() => db.close());

describe("--since is refused", () => {
  it.each(["yesterday", "90", "2026-13-45", "90d' or true --", ""])("as %j", (text) => {
    expect(() => sinceSql(text)).toThrow("--since takes");
  });
});

describe("a hundred thousand decisions", () => {
  it("are read as the auditor, page by page, and decided twice within ten seconds", async () => {
    const stricter = structuredClone(policy);
    stricter.approvals.T2[0] = "critic>=0.95";
    stricter.roles.operator_approval = ["operator", "owner"];
    const reading = await embeddedReading(db.pg);
    const pages: number[] = [];
    const started = performance.now();
    const busy = process.cpuUsage();
    const report = await replayFrom(
      {
        ...reading,
        pages: (text, take) => reading.pages(text, (rows) => (pages.push(rows.length), take(rows))),
      },
      decidingPolicyOf(stricter)!,
    );
    const seconds = (performance.now() - started) / 1000;
    // Where other work shares the processors, the wall clock measures that work.
    const { user, system } = process.cpuUsage(busy);
    const worked = (user + system) / 1e6;
    console.info(
      `${many} decisions in ${seconds.toFixed(2)} s, ${worked.toFixed(2)} s of them work`,
    );
    expect(report).toMatchObject({ decisions: many, reproduced: many, not_reproduced: [] });
    expect(Math.max(...pages)).toBe(pageRows);
    expect(countOf(report.loosened)).toBe(many / 5);
    expect(countOf(report.tightened)).toBe(many / 5);
    expect(reportText(report)).toContain(
      "100000 of 100000 decisions reproduced under the policy they were taken by, 100 %",
    );
    expect(replayReport.safeParse(reportOf(report, policySha256)).error).toBeUndefined();
    expect(worked).toBeLessThan(10);
    const recent = await replayFrom(reading, decidingPolicyOf(policy)!, { since: "90d" });
    expect(recent.decisions).toBeGreaterThan(many / 3);
    expect(recent.decisions).toBeLessThan(many / 2);
    expect(reportText(recent)).toContain("decides none of them differently");
    // The session is the auditor's, and reads only.
    await expect(db.pg.query("update public.tasks set goal = 'x'")).rejects.toMatchObject({
      code: "25006",
    });
  }, 60_000);
});
