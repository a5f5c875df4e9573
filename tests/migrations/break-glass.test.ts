import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  accept,
  alertEvent,
  approvedSignal,
  claimPublish,
  confirm as confirmEffect,
  openCode,
  refusalsOf,
  reserve,
  signalAtGate,
  start,
} from "../support/line.ts";
import { clock, db } from "./people.ts";
import {
  actionsOn,
  breakGlass,
  confirm,
  decline,
  newsOf,
  owners,
  resume,
  runAgain,
  stateOf,
  stop,
  told,
} from "./stopping.ts";

beforeEach(async () => {
  await runAgain();
  await stop();
});
afterEach(runAgain);

/** Asked by an operator, confirmed by an owner. */
async function grant(taskId: string): Promise<void> {
  const { code } = await breakGlass("1001", taskId);
  expect(await confirm("1002", code)).toMatchObject({ reply: "break_glass_granted" });
}

const grants = (taskId: string) =>
  db.owner<{ used: boolean; voided: boolean; effect: boolean }>(
    `select used_at is not null as used, voided_at is not null as voided, effect_id is not null as effect
     from public.break_glass_grants where task_id = $1 order by granted_at, voided_at nulls last`,
    [taskId],
  );

describe("asking to break the glass", () => {
  it("is refused to a reviewer, without a reason, and for a task that is not there, and owners hear of it", async () => {
    const { taskId } = await approvedSignal(db);
    const news = await newsOf("break_glass_refused", async () => {
      expect(await breakGlass("1003", taskId)).toMatchObject({ refused: "wrong_role" });
      expect(await breakGlass("1001", taskId, { intent: { type: "breakglass", id: taskId } }))
        .toMatchObject({ refused: "invalid_request" });
      expect(await breakGlass("1001", "T-2020-01-01-0001")).toMatchObject({ refused: "not_found" });
    });
    expect(news).toEqual([...owners, ...owners, ...owners].sort());
    expect((await told("break_glass_refused")).at(-1)?.payload).toMatchObject({
      reason: "not_found",
      by: "operator:olga",
    });
    expect(await refusalsOf(db, taskId)).toEqual(["wrong_role", "invalid_request"]);
  });

  it("is refused where no stop holds the task", async () => {
    const { taskId } = await approvedSignal(db);
    await runAgain();
    await stop("1001", "t3");
    expect(await breakGlass("1001", taskId)).toMatchObject({ refused: "break_glass_invalid" });
  });

  it("is refused to the person who asked for the task, and so is confirming it", async () => {
    const taskId = await signalAtGate(db, { actor: "tradingview:olga" });
    expect(await breakGlass("1001", taskId)).toMatchObject({ refused: "self_approval" });
    const { code } = await breakGlass("1002", taskId);
    expect(await confirm("1001", code)).toMatchObject({ refused: "self_approval" });
    expect(await grants(taskId)).toEqual([]);
  });

  it("is refused to a decision that is only simulated", async () => {
    const { taskId } = await approvedSignal(db);
    const local = { channel: "local-simulated" };
    expect(await breakGlass("1001", taskId, local)).toMatchObject({ refused: "local_decision" });
    const { code } = await breakGlass("1001", taskId);
    expect(await confirm("1002", code, local)).toMatchObject({ refused: "local_decision" });
  });

  it("is refused for a task that has ended or whose effect has left", async () => {
    const { taskId, work } = await approvedSignal(db);
    await grant(taskId);
    const { effect_id } = await reserve(db, work);
    await start(db, effect_id, work);
    expect(await breakGlass("1001", taskId)).toMatchObject({ refused: "break_glass_invalid" });
    const ended = await signalAtGate(db);
    await clock.advance(1000);
    await db.database.call("sweep");
    expect(await breakGlass("1001", ended)).toMatchObject({ refused: "break_glass_invalid" });
  });

  it("takes a request's code as well as a task's id", async () => {
    const taskId = await signalAtGate(db);
    expect(await breakGlass("1001", await openCode(db, taskId)))
      .toMatchObject({ reply: "confirmation", kind: "break_glass", task_id: taskId });
  });
});

describe("confirming it", () => {
  it("takes another person, an owner among the two, and a second factor", async () => {
    const { taskId } = await approvedSignal(db);
    const asked = await breakGlass("1004", taskId);
    for (const same of ["1004", "1014", "1024"]) {
      expect(await confirm(same, asked.code)).toMatchObject({ refused: "dual_control_violation" });
    }
    expect(await confirm("1001", asked.code)).toMatchObject({ refused: "wrong_role" });
    expect(await confirm("1002", asked.code, { second_factor: null }))
      .toMatchObject({ refused: "second_factor_required" });
    expect(await grants(taskId)).toEqual([]);
    expect(await confirm("1002", asked.code)).toMatchObject({ reply: "break_glass_granted" });
    expect(await confirm("1002", asked.code)).toMatchObject({ refused: "unknown_confirmation" });
    expect(await grants(taskId)).toHaveLength(1);
  });

  it("is over after fifteen minutes and after a no", async () => {
    const { taskId } = await approvedSignal(db);
    const late = await breakGlass("1001", taskId);
    await clock.advance(900);
    expect(await confirm("1002", late.code)).toMatchObject({ refused: "confirmation_expired" });
    const refused = await breakGlass("1001", taskId);
    expect(await decline("1002", refused.code)).toMatchObject({ reply: "declined" });
    expect(await confirm("1002", refused.code)).toMatchObject({ refused: "unknown_confirmation" });
    expect(await grants(taskId)).toEqual([]);
  });

  it("resumes nothing", async () => {
    const { taskId } = await approvedSignal(db);
    const { work } = await approvedSignal(db);
    await grant(taskId);
    expect(await stateOf("all")).toBe("stopped");
    expect(await reserve(db, work)).toMatchObject({ refused: "stopped" });
  });
});

describe("a broken glass", () => {
  it("lets one effect be reserved and started, is used up by it, and owners hear of each step", async () => {
    const { taskId, work } = await approvedSignal(db);
    expect(await reserve(db, work)).toMatchObject({ refused: "stopped" });
    expect(await newsOf("break_glass_asked", () => breakGlass("1005", taskId)))
      .toEqual(expect.arrayContaining(owners));
    expect(await newsOf("break_glass_granted", () => grant(taskId))).toEqual(owners);
    const reserved: Record<string, unknown> = {};
    const news = await newsOf(
      "break_glass_used",
      async () => Object.assign(reserved, await reserve(db, work)),
    );
    expect(reserved).toMatchObject({ status: "reserved" });
    expect(news).toEqual(owners);
    expect(await grants(taskId)).toEqual([{ used: true, voided: false, effect: true }]);
    expect(await start(db, reserved.effect_id, work)).toEqual({ status: "sent" });
    expect(await confirmEffect(db, reserved.effect_id, work)).toMatchObject({
      status: "confirmed",
    });
    const [{ id }] = await db.owner<{ id: string }>(
      "select grant_id as id from public.break_glass_grants where task_id = $1",
      [taskId],
    );
    expect(await actionsOn(`break_glass:${id}`)).toEqual(["break_glass.confirm", "effect.reserve"]);
  });

  it("starts an effect that was reserved before the stop", async () => {
    await runAgain();
    const { taskId, work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    await stop();
    await grant(taskId);
    expect(await start(db, effect_id, work)).toEqual({ status: "sent" });
    expect(await grants(taskId)).toEqual([{ used: true, voided: false, effect: true }]);
    expect(await breakGlass("1001", taskId)).toMatchObject({ refused: "break_glass_invalid" });
  });

  it("is over after its time, for the reservation and for the start", async () => {
    const { taskId } = await approvedSignal(db);
    await grant(taskId);
    await clock.advance(900);
    const problem =
      "select private.stop_problem(t) as problem from public.tasks t where task_id = $1";
    expect(await db.owner(problem, [taskId])).toEqual([{ problem: "stopped" }]);
    await grant(taskId);
    await clock.advance(899.999);
    expect(await db.owner(problem, [taskId])).toEqual([{ problem: null }]);
    expect(await grants(taskId)).toEqual([
      { used: false, voided: true, effect: false },
      { used: false, voided: false, effect: false },
    ]);
  });

  it("is overtaken by a stop that comes after it, reserved or not", async () => {
    const { taskId, work } = await approvedSignal(db);
    await grant(taskId);
    await stop("1005");
    expect(await reserve(db, work)).toMatchObject({ refused: "stopped" });
    await grant(taskId);
    const { effect_id } = await reserve(db, work);
    await stop("1005");
    expect(await start(db, effect_id, work)).toMatchObject({ refused: "stopped" });
  });

  it("counts only while both people may still give it", async () => {
    const { taskId, work } = await approvedSignal(db);
    await grant(taskId);
    const role = (name: string) =>
      db.owner("update public.members set role = $1 where telegram_user_id = '1002'", [name]);
    await role("operator");
    expect(await reserve(db, work)).toMatchObject({ refused: "stopped" });
    await role("owner");
    expect(await reserve(db, work)).toMatchObject({ status: "reserved" });
  });

  it("replaces no approval, no digest and no policy", async () => {
    const undecided = await signalAtGate(db);
    await grant(undecided);
    expect(await claimPublish(db, undecided)).toBeNull();
    const { taskId, work } = await approvedSignal(db);
    await grant(taskId);
    expect(await reserve(db, work, { p_payload: { text: "another post" } }))
      .toMatchObject({ refused: "digest_drift" });
    expect(await reserve(db, work, { p_policy_sha256: "0".repeat(64) }))
      .toHaveProperty("refused");
    expect(await grants(taskId)).toEqual([{ used: false, voided: false, effect: false }]);
  });

  it("is not used up where no stop stands in the way", async () => {
    const { taskId, work } = await approvedSignal(db);
    await grant(taskId);
    const { code } = await resume("1001");
    await confirm("1002", code);
    expect(await reserve(db, work)).toMatchObject({ status: "reserved" });
    expect(await grants(taskId)).toEqual([{ used: false, voided: false, effect: false }]);
  });

  it("cannot be used for a stop that holds another task, or without one", async () => {
    const { task_id } = await accept(db, alertEvent(`BUY ${Math.random()}`));
    await expect(db.owner("select private.use_break_glass($1)", [task_id])).rejects.toThrow(
      /is stopped/,
    );
  });

  it("never lasts longer than fifteen minutes, whatever the policy says", async () => {
    await db.owner(
      `update public.policies set body = jsonb_set(body, '{emergency}', '{"confirm_minutes": 600, "break_glass_minutes": 600}')
       where status = 'active'`,
    );
    const { taskId } = await approvedSignal(db);
    await grant(taskId);
    const lasted =
      "select extract(epoch from expires_at - granted_at)::integer as s from public.break_glass_grants where task_id = $1";
    expect(await db.owner(lasted, [taskId])).toEqual([{ s: 900 }]);
    await db.owner(
      "update public.policies set body = body #- '{emergency}' where status = 'active'",
    );
  });
});

describe("history, while a glass is broken", () => {
  const roles = ["postgres", "service_role", "administrator", "auditor", "authenticated", "anon"];

  it.each(roles)("is not touched by %s", async (role) => {
    const { taskId, work } = await approvedSignal(db);
    await grant(taskId);
    await reserve(db, work);
    const count = "select count(*)::integer as n from public.audit_logs where task_id = $1";
    const [before] = await db.owner<{ n: number }>(count, [taskId]);
    for (
      const sql of [
        "update public.audit_logs set actor = 'nobody'",
        "delete from public.audit_logs",
        "truncate public.audit_logs",
        "update public.break_glass_grants set used_at = null, effect_id = null",
        "update public.break_glass_grants set expires_at = expires_at + interval '1 second'",
        "update public.break_glass_grants set reason = 'none'",
        "delete from public.break_glass_grants",
        "truncate public.break_glass_grants",
        "truncate public.confirmations cascade",
        "update public.approvals set decision = 'approve'",
      ]
    ) {
      const code = role === "postgres" ? "AGHIS" : "42501";
      await expect(db.as(role, sql), sql).rejects.toMatchObject({ code });
    }
    expect(await db.owner(count, [taskId])).toEqual([before]);
  });
});
