import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { desync } from "../../../../scripts/ags/runbooks/desync.ts";
import { openTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { activate, addMember, runToGate, signalAtGate, statusOf } from "../../../support/line.ts";
import { everyTable, options, plant, runbookScene, trail } from "./scene.ts";

let db: TestDatabase;
let first: string;
let second: string;
let altered: string;

beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());
beforeEach(async () => {
  [first, second, altered] = [
    await signalAtGate(db),
    await signalAtGate(db),
    await signalAtGate(db),
  ];
  await plant(
    db,
    `update public.event_receipts r set body_sha256 = f.body_sha256, received_at = f.received_at + interval '5 seconds'
     from public.event_receipts f where r.task_id = $2 and f.task_id = $1`,
    [first, second],
  );
  await plant(
    db,
    "update public.artifacts set content = 'altered' where task_id = $1 and type = 'research'",
    [altered],
  );
});

const paused = async () =>
  (await db.owner<{ consumer: string }>(
    "select consumer from public.event_consumers where paused order by 1",
  )).map(({ consumer }) => consumer);

describe("a rehearsal of desync", () => {
  it("shows what it would do and changes no row of any table", async () => {
    const before = await everyTable(db);
    const { deps, said } = runbookScene(db, () => {
      throw new Error("nobody is asked in a rehearsal");
    });
    await desync(deps, options({ dryRun: true }));
    expect(await everyTable(db)).toEqual(before);
    expect(said).toContain("2/6 Find what is there twice or out of order");
    expect(said.join("\n")).toContain(`would: cancel ${second}, twin of ${first}`);
    expect(said.join("\n")).toContain(`would: rebuild the steps of ${altered}`);
  });
});

describe("desync that is declined", () => {
  it("leaves every task and consumer as it was, and the no on record", async () => {
    const { deps, said } = runbookScene(db, () => false);
    await desync(deps, options());
    expect(await statusOf(db, second)).toBe("awaiting_approval");
    expect(await paused()).toEqual([]);
    const rows = await trail(db, deps.runId);
    expect(rows.length).toBeGreaterThan(1);
    expect(new Set(rows.map(({ outcome }) => outcome))).toEqual(new Set(["asked", "declined"]));
    expect(said.join("\n")).toContain("nothing is repaired while work goes on");
  });

  it("at the end says loudly who is still paused and how to resume, and the next run lets them go", async () => {
    const { deps, said } = runbookScene(db, (question) => !question.includes("resume"));
    await desync(deps, options());
    expect(await paused()).toContain("orchestrator");
    expect(said.join("\n")).toContain(
      "STILL PAUSED: orchestrator. Resume it: npm run ags -- resume",
    );
    await desync(runbookScene(db).deps, options());
    expect(await paused()).toEqual([]);
  });
});

describe("desync", () => {
  it("cancels the younger twin, rebuilds the altered task and lets everybody go on", async () => {
    const { deps, said } = runbookScene(db);
    await desync(deps, options());
    expect(await statusOf(db, second)).toBe("cancelled");
    expect(await statusOf(db, first)).toBe("awaiting_approval");
    expect(await statusOf(db, altered)).toBe("running");
    await runToGate(db);
    expect(await statusOf(db, altered)).toBe("awaiting_approval");
    expect(await paused()).toEqual([]);
    expect(said.join("\n")).toMatch(/after: P95 latency .*T2 unknown/);
    const again = runbookScene(db);
    await desync(again.deps, options());
    expect(again.said.join("\n")).toContain("nothing is there twice or out of order");
  });

  it("puts each step on record in the name of whoever ran it: asked, then done", async () => {
    const { deps } = runbookScene(db);
    await desync(deps, options());
    const rows = await trail(db, deps.runId);
    expect(new Set(rows.map(({ actor }) => actor))).toEqual(new Set(["cli:olga"]));
    expect(new Set(rows.map(({ action }) => action))).toEqual(new Set(["runbook.desync"]));
    const titles = (outcome: string) =>
      rows.filter((row) => row.outcome === outcome).map(({ title }) => title);
    expect(titles("asked")).toEqual(titles("done"));
    expect(titles("done")).toEqual(expect.arrayContaining([
      "pause orchestrator",
      `cancel ${second}, twin of ${first}`,
      `rebuild the steps of ${altered}`,
      "resume orchestrator",
    ]));
  });

  it("leaves a consumer alone that somebody else had paused", async () => {
    const { deps } = runbookScene(db);
    await deps.administer("pause_consumer", {
      p_consumer: "communicator",
      p_reason: "the channel moves",
      p_actor: "olga",
    });
    await desync(deps, options());
    expect(await paused()).toEqual(["communicator"]);
    await deps.administer("resume_consumer", { p_consumer: "communicator", p_actor: "olga" });
  });

  it("that is interrupted half way resumes what it had paused before it leaves", async () => {
    const scene = runbookScene(db, (question) => {
      if (question.includes("cancel")) scene.interrupt();
      return true;
    });
    await expect(desync(scene.deps, options())).rejects.toThrow("interrupted");
    expect(await paused()).toEqual([]);
    expect(await statusOf(db, second)).toBe("awaiting_approval");
    expect((await trail(db, scene.deps.runId)).at(-1)?.title).toContain("cut short");
  });
});
