import { describe, expect, it } from "vitest";
import {
  accept,
  addMember,
  alertEvent,
  claim,
  claimPublish,
  decide,
  fail,
  lease,
  openCode,
  reserve,
  runToGate,
  statusOf,
} from "../support/line.ts";
import * as trading from "../support/trading.ts";
import { clock, db, id } from "./trading-desk.ts";

// Ways around the gate that were found by looking for them; each was open once.
const effects = (taskId: string) =>
  db.owner("select kind, status from public.effects where task_id = $1", [taskId]);

describe("an approved entry is no licence for another order", () => {
  it("not even for one that would reduce what is open", async () => {
    await trading.filled(db, trading.wanted(id));
    await clock.advance(1);
    const { taskId, work } = await trading.approved(db, trading.wanted(id));
    expect(await trading.reserve(db, work, { p_payload: { ...trading.reduction(id) } }))
      .toMatchObject({ refused: "digest_drift" });
    expect(await effects(taskId)).toEqual([]);
  });

  it("nor while T3 is off", async () => {
    const { taskId, work } = await trading.approved(db, trading.wanted(id));
    await db.owner(
      "update public.feature_flags set enabled = false where key = 't3_execution_enabled'",
    );
    expect(await trading.reserve(db, work, { p_payload: { ...trading.reduction(id) } }))
      .toMatchObject({ refused: "t3_execution_disabled" });
    expect(await effects(taskId)).toEqual([]);
    await trading.switchOn(db);
  });
});

describe("a reservation that a dead worker left", () => {
  it("is not taken up by a process with another policy", async () => {
    await trading.openAccount(db, `${id}-bridge`, { channel: "http-bridge" });
    const { work } = await trading.approved(db, trading.wanted(`${id}-bridge`));
    const bridge = { p_channel: "http-bridge" };
    expect(await trading.reserve(db, work, bridge)).toMatchObject({ status: "reserved" });
    expect(await trading.reserve(db, work, { ...bridge, p_policy_sha256: "f".repeat(64) }))
      .toMatchObject({ refused: "policy_not_approved" });
  });
});

describe("an approver who turns out to be the person who asked", () => {
  it("does not count", async () => {
    await addMember(db, "operator", "nina", "71001");
    const event = alertEvent(`BUY ${Math.random()}`, { actor: "telegram:99123" });
    const taskId = String((await accept(db, event)).task_id);
    await runToGate(db);
    expect(await decide(db, "71001", await openCode(db, taskId))).toMatchObject({
      status: "approved",
    });
    await addMember(db, "reviewer", "nina-tablet", "99123", "nina");
    const work = await claimPublish(db, taskId);
    expect(await reserve(db, work!)).toMatchObject({ refused: "approval_missing" });
    expect(await effects(taskId)).toEqual([]);
  });
});

describe("what waits for a stop to end", () => {
  it("says so once, looks again ever more rarely, and at once after the resume", async () => {
    const { taskId, work } = await trading.approved(db, trading.wanted(id));
    await db.as("administrator", "select api.stop('all', 'a drill', 'cli:ada')");
    const refusals = async () =>
      (await db.owner(
        "select 1 from public.audit_logs where task_id = $1 and code = 'stopped'",
        [taskId],
      )).length;
    let held = work;
    const pauses: number[] = [];
    for (let round = 0; round < 6; round++) {
      expect(await trading.reserve(db, held)).toMatchObject({ refused: "stopped" });
      await fail(db, held, "stopped");
      const [{ seconds }] = await db.owner<{ seconds: number }>(
        "select extract(epoch from run_at - private.now())::int as seconds from public.task_steps where step_id = $1",
        [held.step_id],
      );
      pauses.push(seconds);
      await clock.advance(seconds);
      const next = (await claim(db, ["exec"])).find(({ task_id }) => task_id === taskId);
      if (!next) throw new Error("the step did not come back");
      held = next;
    }
    expect(pauses).toEqual([5, 10, 20, 40, 60, 60]);
    expect(await refusals()).toBe(2);
    await db.owner("update public.emergency_stops set state = 'running'");
    await db.database.call("fail_step", { ...lease(held), p_code: "stopped", p_error: "stopped" });
    expect(await statusOf(db, taskId)).toBe("running");
  });
});

describe("a yes that was written while the switch turned", () => {
  it("is released by the next sweep", async () => {
    await db.owner(
      "update public.feature_flags set enabled = false where key = 't3_execution_enabled'",
    );
    const taskId = await trading.toGate(db, trading.wanted(id));
    const code = await openCode(db, taskId);
    for (const person of ["1001", "1002"]) await decide(db, person, code);
    expect(await statusOf(db, taskId)).toBe("pending_exec");
    await db.owner(
      "update public.feature_flags set enabled = true where key = 't3_execution_enabled'",
    );
    await clock.advance(6);
    await db.database.call("sweep");
    expect(await statusOf(db, taskId)).toBe("running");
  });
});

describe("a member who was removed while they waited for a lock", () => {
  it("asks for nothing and confirms nothing", async () => {
    await addMember(db, "operator", "gone", "71009");
    await db.owner(
      "create temp table before_it as select m from public.members m where m.name = 'gone'",
    );
    await db.as("administrator", "select api.remove_member('gone', 'test')");
    for (const command of ["breakglass", "confirm", "t3"]) {
      const [{ answer }] = await db.owner<{ answer: { refused: string } }>(
        `select private.on_${command}(b.m, '{"decision": "approve", "reason": "x", "state": "off", "code": "C-AAAAAAAA", "id": "T-2000-01-01-0001"}', 'telegram') as answer from before_it b`,
      );
      expect([command, answer.refused]).toEqual([command, "wrong_role"]);
    }
  });
});
