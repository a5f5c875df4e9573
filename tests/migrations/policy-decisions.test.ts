import { describe, expect, it } from "vitest";
import { decidingPolicyOf } from "../../functions/_policy/policy-domain.ts";
import {
  countOf,
  type Replay,
  replayer,
  type StoredDecision,
} from "../../functions/_policy/policy-replay.ts";
import {
  accept,
  activate,
  alertEvent,
  approvedSignal,
  archivedSignal,
  decide,
  openCode,
  policy,
  policySha256,
  reserve,
  runToGate,
  signalAtGate,
  statusOf,
} from "../support/line.ts";
import { clock, db } from "./people.ts";

const decisions = async (taskId: string) =>
  await db.owner<StoredDecision>(
    "select gate, inputs, outcome from public.policy_decisions where task_id = $1 order by seq",
    [taskId],
  );
const gatesOf = async (taskId: string) => (await decisions(taskId)).map(({ gate }) => gate);

async function replayAll(head: unknown = policy): Promise<Replay> {
  const bodies = await db.owner<{ policy_sha256: string; body: unknown }>(
    "select policy_sha256, body from public.policies",
  );
  const run = replayer(
    decidingPolicyOf(head)!,
    new Map(bodies.map(({ policy_sha256, body }) => [policy_sha256, body])),
  );
  const rows = await db.as<StoredDecision>(
    "auditor",
    "select gate, task_id, policy_sha256, inputs, outcome from public.policy_decisions order by seq",
  );
  rows.forEach(run.take);
  return run.report();
}

const request = async (action: string) =>
  await accept(db, { ...alertEvent(`${action} ${Math.random()}`), source: "service", action });

describe("a decision of the policy", () => {
  it("cannot be changed or removed afterwards", async () => {
    await archivedSignal(db);
    for (
      const sql of [
        "update public.policy_decisions set gate = 'ask'",
        "delete from public.policy_decisions",
      ]
    ) {
      await expect(db.owner(sql)).rejects.toMatchObject({ code: "AGHIS" });
    }
  });

  it("is kept at each gate of a signal, in order", async () => {
    const taskId = await archivedSignal(db);
    expect(await gatesOf(taskId)).toEqual(["plan", "evaluate", "ask", "decide", "fill", "reserve"]);
    const [plan, evaluate, ask, yes, fill, effect] = await decisions(taskId);
    expect(plan.outcome).toEqual({ tier: "T2" });
    expect(evaluate.outcome).toEqual({ tier: "T2", threshold: "0.8000", verdict: "pass" });
    expect(ask.outcome).toMatchObject({ slots: ["operator_approval"], dry_run: false });
    expect(yes).toMatchObject({ inputs: { role: "operator" }, outcome: { counts: true } });
    expect(fill).toMatchObject({
      inputs: { yes: [{ role: "operator" }] },
      outcome: { filled: true },
    });
    expect(effect).toMatchObject({ inputs: { dry_run: false }, outcome: { allowed: true } });
  });

  it("is kept when it is a refusal: an action without a tier, a role that does not count", async () => {
    expect(await request("DANCE")).toMatchObject({ refused: "unclassified_action" });
    const [refused] = await db.owner<StoredDecision>(
      "select inputs, outcome from public.policy_decisions where task_id is null order by seq desc limit 1",
    );
    expect(refused).toEqual({
      inputs: { source: "service", action: "DANCE" },
      outcome: { refused: "unclassified_action" },
    });
    const taskId = await signalAtGate(db);
    await decide(db, "1002", await openCode(db, taskId));
    expect((await decisions(taskId)).at(-1)).toMatchObject({
      gate: "decide",
      inputs: { role: "owner", slots: ["operator_approval"] },
      outcome: { counts: false },
    });
  });

  it("is kept when nobody answered, and when the critic said no", async () => {
    const unanswered = await signalAtGate(db);
    await clock.advance(16 * 60);
    await db.owner("select private.expire_requests()");
    expect(await statusOf(db, unanswered)).toBe("rejected");
    expect((await decisions(unanswered)).at(-1)).toMatchObject({
      gate: "fill",
      outcome: { filled: false },
    });
    const { task_id } = await accept(db, alertEvent(`BUY ${Math.random()}`));
    await runToGate(db, { policy: 1, evidence: 1, factuality: 2, clarity: 2, risk: 1 });
    expect((await decisions(String(task_id))).at(-1)).toMatchObject({
      gate: "evaluate",
      outcome: { verdict: "fail" },
    });
  });

  it("is kept when an effect is refused because its approver is gone", async () => {
    const { taskId, work } = await approvedSignal(db, "1005");
    await db.owner(
      "update public.members set status = 'removed', removed_at = private.now(), removed_by = 'test' where name = 'pia'",
    );
    expect(await reserve(db, work)).toMatchObject({ refused: "approval_missing" });
    expect((await decisions(taskId)).find(({ gate }) => gate === "reserve")).toMatchObject({
      inputs: { yes: [] },
      outcome: { allowed: false, code: "approval_missing" },
    });
  });

  it("is no matter of policy where something else stood in the way", async () => {
    const { taskId, work } = await approvedSignal(db);
    await reserve(db, work, { p_payload: { text: "all in" } });
    expect(await gatesOf(taskId)).not.toContain("reserve");
  });

  it("of a T3 task names both slots and the dry run", async () => {
    const { task_id } = await request("PAYMENT");
    await runToGate(db);
    const code = await openCode(db, String(task_id));
    await decide(db, "1001", code);
    await decide(db, "1002", code);
    const ask = (await decisions(String(task_id))).find(({ gate }) => gate === "ask");
    expect(ask?.outcome).toMatchObject({
      tier: "T3",
      slots: ["operator_approval", "owner_approval"],
      dry_run: true,
    });
    expect(await gatesOf(String(task_id))).toContain("fill");
  });
});

describe("a decision from before decisions were kept", () => {
  const tables = ["tasks", "evaluations", "approval_requests", "approvals", "effects"];
  const each = (what: "disable" | "enable") =>
    tables.map((table) =>
      `alter table public.${table} ${what} trigger _850_remember_decision;` +
      (table === "approval_requests"
        ? `alter table public.${table} ${what} trigger _851_remember_decision;`
        : "")
    ).join("\n");

  it("is found in the rows of its task, and once", async () => {
    await db.pg.exec(`reset role; ${each("disable")}`);
    const taskId = await archivedSignal(db);
    const unanswered = await signalAtGate(db);
    await clock.advance(16 * 60);
    await db.owner("select private.expire_requests()");
    await db.pg.exec(`reset role; ${each("enable")} set role service_role`);
    expect(await gatesOf(taskId)).toEqual([]);
    const remember = "select private.remember_earlier_decisions() as count";
    expect(await db.owner(remember)).toEqual([{ count: 10 }]);
    expect(await db.owner(remember)).toEqual([{ count: 0 }]);
    expect(await gatesOf(taskId)).toEqual(["plan", "evaluate", "ask", "decide", "fill", "reserve"]);
    expect(await gatesOf(unanswered)).toEqual(["plan", "evaluate", "ask", "fill"]);
    expect((await replayAll()).not_reproduced).toEqual([]);
  });
});

describe("every decision on record", () => {
  it("is reproduced under the policy it was taken by, over changes of policy", async () => {
    const taskId = await signalAtGate(db);
    await activate(db, "stricter", {
      ...policy,
      approvals: { ...policy.approvals, T2: ["critic>=0.95", "operator_approval"] },
    });
    const [{ sha }] = await db.owner<{ sha: string }>(
      "select private.active_policy_sha256() as sha",
    );
    await decide(db, "1001", await openCode(db, taskId), "approve", { policy_sha256: sha });
    await activate(db);
    await archivedSignal(db);
    const report = await replayAll();
    expect(report.not_reproduced).toEqual([]);
    expect(report.reproduced).toBe(report.decisions);
    expect(report.decisions).toBeGreaterThan(20);
    const shas = await db.owner("select distinct policy_sha256 from public.policy_decisions");
    expect(shas.length).toBeGreaterThan(1);
    expect(shas).toContainEqual({ policy_sha256: policySha256 });
  });

  it("is named when it is not: a row that says what its policy does not", async () => {
    await db.owner(
      `insert into public.policy_decisions (gate, policy_sha256, inputs, outcome) values
       ('plan', $1, '{"source": "service", "action": "TRADE"}', '{"tier": "T1"}'),
       ('plan', repeat('f', 64), '{"source": "service", "action": "TRADE"}', '{"tier": "T3"}')`,
      [policySha256],
    );
    const { not_reproduced } = await replayAll();
    expect(countOf(not_reproduced)).toBe(2);
    expect(not_reproduced.map(({ action }) => action)).toEqual(["TRADE", "TRADE"]);
  });

  it("shows what a looser policy would let pass", async () => {
    const looser = {
      ...policy,
      approvals: { ...policy.approvals, T2: ["critic>=0.1", "operator_approval"] },
      roles: { ...policy.roles, operator_approval: ["operator", "owner"] },
    };
    const { loosened, tightened } = await replayAll(looser);
    expect(countOf(tightened)).toBe(0);
    expect(loosened).toContainEqual(
      expect.objectContaining({
        gate: "decide",
        action: "PUBLISH",
        how: expect.stringContaining("owner counts"),
      }),
    );
  });
});
