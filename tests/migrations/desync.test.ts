import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  approvedSignal,
  archivedSignal,
  claim,
  complete,
  openCode,
  plan,
  refusalsOf,
  reserve,
  resultOf,
  runToGate,
  signalAtGate,
  statusOf,
} from "../support/line.ts";
import { administer } from "../support/personas.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());

type Finding = Record<string, unknown>;
const findings = (taskId: string | null = null) =>
  administer(db, "desync_findings($1)", [taskId]) as Promise<Record<string, Finding[]>>;
const rebuild = (taskId: string) =>
  administer(db, "rebuild_steps($1, 'olga')", [taskId]) as Promise<Record<string, unknown>>;
const cancelTwin = (taskId: string) =>
  administer(db, "cancel_twin($1, 'olga')", [taskId]) as Promise<Record<string, unknown>>;

/** Past every guard, as a fault would leave it. */
async function plant(...statements: [string, unknown[]][]): Promise<void> {
  await db.pg.transaction(async (tx) => {
    await tx.exec("set local role postgres; set local session_replication_role = replica");
    for (const [sql, params] of statements) await tx.query(sql, params);
  });
}
const setStep = (taskId: string, node: string, changes: string) =>
  plant([`update public.task_steps set ${changes} where task_id = $1 and node_id = $2`, [
    taskId,
    node,
  ]]);
const steps = async (taskId: string): Promise<Record<string, string>> => {
  const rows = await db.owner<{ node_id: string; status: string }>(
    "select node_id, status from public.task_steps where task_id = $1",
    [taskId],
  );
  return Object.fromEntries(rows.map(({ node_id, status }) => [node_id, status]));
};
/** Two tasks of one delivery, as if intake had not known the first. */
async function twins(): Promise<[string, string]> {
  const first = await signalAtGate(db);
  const second = await signalAtGate(db);
  await plant([
    `update public.event_receipts r set body_sha256 = f.body_sha256, received_at = f.received_at + interval '5 seconds'
     from public.event_receipts f where r.task_id = $2 and f.task_id = $1`,
    [first, second],
  ]);
  return [first, second];
}
/** A signal whose line is half done: planned, the first steps completed. */
async function halfDone(): Promise<string> {
  const { task_id } = await accept(db, alertEvent(`BUY BTCUSDT ${randomUUID()}`));
  for (const work of await claim(db, ["planner"])) await plan(db, work);
  for (let round = 0; round < 2; round++) {
    for (const work of await claim(db, ["researcher", "retriever"])) {
      await complete(db, work, resultOf(work));
    }
  }
  return task_id as string;
}

describe("a twin is not cancelled", () => {
  it("where no earlier task was made of its delivery, or nobody asks", async () => {
    const taskId = await signalAtGate(db);
    expect(await cancelTwin(taskId)).toMatchObject({ refused: "not_found" });
    expect(await administer(db, "cancel_twin($1, '')", [taskId]))
      .toMatchObject({ refused: "invalid_request" });
  });

  it("once its effect was begun: it is named for a person", async () => {
    const first = await signalAtGate(db);
    const { taskId, work } = await approvedSignal(db);
    await reserve(db, work);
    await plant([
      `update public.event_receipts r set body_sha256 = f.body_sha256, received_at = f.received_at + interval '5 seconds'
       from public.event_receipts f where r.task_id = $2 and f.task_id = $1`,
      [first, taskId],
    ]);
    expect((await findings(taskId)).twins).toMatchObject([{ problem: "its effect was begun" }]);
    expect(await cancelTwin(taskId)).toMatchObject({ refused: "illegal_transition" });
  });
});

describe("twins of one delivery", () => {
  it("are none on a healthy database", async () => {
    expect(await findings(await signalAtGate(db))).toEqual({
      twins: [],
      twice_accepted: [],
      twice_done: [],
      repeats: [],
      steps: [],
    });
  });

  it("are found, and the younger is cancelled with its question, once", async () => {
    const [first, second] = await twins();
    expect((await findings(first)).twins).toMatchObject([
      { task_id: second, twin_of: first, problem: null, apart_seconds: 5 },
    ]);
    expect(await cancelTwin(second)).toMatchObject({ status: "cancelled", twin_of: first });
    expect(await statusOf(db, second)).toBe("cancelled");
    expect(await statusOf(db, first)).toBe("awaiting_approval");
    expect(await findings(first)).toMatchObject({ twins: [] });
    const [request] = await db.owner<{ status: string }>(
      "select status from public.approval_requests where code = $1",
      [await openCode(db, second)],
    );
    expect(request.status).toBe("superseded");
    expect(await cancelTwin(second)).toMatchObject({ refused: "illegal_transition" });
  });
});

describe("steps are not rebuilt", () => {
  it("by nobody, of a task that does not exist, or by another role", async () => {
    expect(await rebuild("T-2000-01-01-0001")).toMatchObject({ refused: "not_found" });
    expect(await administer(db, "rebuild_steps('T-2000-01-01-0001', '')"))
      .toMatchObject({ refused: "invalid_request" });
    for (const role of ["service_role", "auditor", "anon", "authenticated"]) {
      await expect(db.as(role, "select api.rebuild_steps('x', 'x')")).rejects.toThrow(
        /permission denied/,
      );
    }
  });

  it("of an archived task, or where an effect is under way", async () => {
    const archived = await archivedSignal(db);
    expect(await rebuild(archived)).toMatchObject({ refused: "illegal_transition" });
    const { taskId, work } = await approvedSignal(db);
    await reserve(db, work);
    expect(await rebuild(taskId)).toMatchObject({ refused: "illegal_transition" });
    expect(await refusalsOf(db, taskId)).toContain("illegal_transition");
  });

  it("where nothing is wrong: not a row is written", async () => {
    const taskId = await signalAtGate(db);
    const count = () => db.owner("select count(*) from public.audit_logs");
    const before = await count();
    expect(await rebuild(taskId)).toMatchObject({ changed: false });
    expect(await count()).toEqual(before);
  });
});

describe("steps that are rebuilt", () => {
  it("are counted: one that waits for nobody becomes ready and the line goes on to its gate", async () => {
    const taskId = await halfDone();
    expect((await steps(taskId)).act).toBe("ready");
    await setStep(taskId, "act", "status = 'pending', pending_parents = 1");
    expect((await findings(taskId)).steps).toMatchObject([
      { node_id: "act", finding: "waits_for_nobody" },
    ]);
    expect(await rebuild(taskId)).toMatchObject({ changed: true, readied: ["act"] });
    expect((await findings(taskId)).steps).toEqual([]);
    await runToGate(db);
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
  });

  it("stand back behind what they wait for", async () => {
    const taskId = await halfDone();
    await setStep(taskId, "critic", "status = 'ready', pending_parents = 0");
    expect((await findings(taskId)).steps).toMatchObject([
      { node_id: "critic", finding: "out_of_order" },
    ]);
    await rebuild(taskId);
    expect(await steps(taskId)).toMatchObject({ act: "ready", critic: "pending" });
  });

  it("lose a lease that ran out, as the reaper takes it", async () => {
    const taskId = await halfDone();
    await claim(db, ["trader"]);
    await setStep(taskId, "act", "lease_expires_at = now() - interval '1 minute'");
    expect(await rebuild(taskId)).toMatchObject({ returned: ["act"] });
    expect((await steps(taskId)).act).toBe("ready");
  });

  it("are done anew from the last good artifact on, where one is altered before anybody was asked", async () => {
    const taskId = await halfDone();
    await plant([
      "update public.artifacts set content = 'altered' where task_id = $1 and type = 'research'",
      [taskId],
    ]);
    const before = await steps(taskId);
    expect((await findings(taskId)).steps).toMatchObject([{ finding: "artifact_altered" }]);
    const { anew } = await rebuild(taskId) as { anew: string[] };
    expect(anew).toContain("act");
    const after = await steps(taskId);
    expect(Object.keys(after).filter((node) => after[node] !== before[node]).length)
      .toBeGreaterThan(0);
    await runToGate(db);
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
    expect((await findings(taskId)).steps).toEqual([]);
    expect(await rebuild(taskId)).toMatchObject({ changed: false });
  });

  it("are done anew as a whole where people were asked; their question stands", async () => {
    const taskId = await signalAtGate(db);
    const code = await openCode(db, taskId);
    await plant(["delete from public.artifacts where task_id = $1 and type = 'research'", [
      taskId,
    ]]);
    expect(await rebuild(taskId)).toMatchObject({ changed: true, replanned: true });
    await runToGate(db);
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
    expect(await openCode(db, taskId)).toBe(code);
  });

  it("leave a row that says what was found and done", async () => {
    const taskId = await halfDone();
    await setStep(taskId, "act", "status = 'pending', pending_parents = 7");
    await rebuild(taskId);
    const rows = await db.owner(
      "select actor, after_json from public.audit_logs where action = 'task.rebuild' and task_id = $1 and object = $2",
      [taskId, `task:${taskId}`],
    );
    expect(rows).toMatchObject([{
      actor: "olga",
      after_json: { changed: true, readied: ["act"] },
    }]);
  });
});
