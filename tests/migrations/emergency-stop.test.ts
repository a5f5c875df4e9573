import { beforeEach, describe, expect, it } from "vitest";
import {
  accept,
  alertEvent,
  approvedSignal,
  claim,
  fail,
  refusalsOf,
  reserve,
  runToGate,
  start,
  statusOf,
} from "../support/line.ts";
import { clock, db } from "./people.ts";
import { actionsOn, everybody, newsOf, runAgain, say, stateOf, stop, told } from "./stopping.ts";

beforeEach(runAgain);

const problemOf = async (taskId: string): Promise<string | null> =>
  (await db.owner<{ problem: string | null }>(
    "select private.stop_problem(t) as problem from public.tasks t where t.task_id = $1",
    [taskId],
  ))[0].problem;

const answer = { type: "application/json" };

describe("a stop", () => {
  it("is refused to a reviewer and to a stranger, and the line goes on", async () => {
    expect(await stop("1003")).toMatchObject({ refused: "wrong_role", reply: "refused" });
    expect(await stop("4711")).toMatchObject({ refused: "not_a_member" });
    expect(await stateOf("all")).toBe("running");
    expect(await refusalsOf(db, "stop:all")).toContain("wrong_role");
  });

  it("refuses the reservation of a post that people approved", async () => {
    const { work, taskId } = await approvedSignal(db);
    expect(await stop()).toMatchObject({ reply: "stopped", scope: "all", changed: true });
    expect(await reserve(db, work)).toMatchObject({ refused: "stopped" });
    expect(await refusalsOf(db, taskId)).toContain("stopped");
    expect(await db.owner("select 1 from public.effects where task_id = $1", [taskId])).toEqual([]);
  });

  it("refuses the start of an effect that was reserved before it, and lets it wait", async () => {
    const { work, taskId } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    await stop();
    expect(await start(db, effect_id, work)).toMatchObject({ refused: "stopped" });
    expect(await statusOf(db, taskId)).toBe("publishing");
    expect(
      await db.owner("select status, sent_at from public.effects where task_id = $1", [taskId]),
    ).toEqual([{ status: "reserved", sent_at: null }]);
  });

  it("stops what needs nobody's approval, too", async () => {
    const { task_id } = await accept(
      db,
      alertEvent(`read ${Math.random()}`, { source: "desk", action: "READ", goal: "Read it" }),
    );
    await stop();
    const work = await runToGate(db);
    const kept = { p_kind: "record", p_channel: "internal", p_destination: null };
    expect(work?.task_id).toBe(task_id);
    expect(await reserve(db, work!, { ...kept, p_payload: answer })).toMatchObject({
      refused: "stopped",
    });
    // What a worker hands back as stopped is tried later, and is nobody's failure.
    expect(await fail(db, work!, "stopped")).toMatchObject({ status: "ready" });
    await runAgain();
    await clock.advance(6);
    expect(await reserve(db, (await runToGate(db))!, { ...kept, p_payload: answer }))
      .toMatchObject({ status: "confirmed" });
  });

  it("does not stop the work before the effect", async () => {
    await stop();
    const { task_id } = await accept(db, alertEvent(`BUY ${Math.random()}`));
    await runToGate(db);
    expect(await statusOf(db, task_id as string)).toBe("awaiting_approval");
  });

  it("of T3 alone leaves posts alone and holds every T3 task", async () => {
    const { work, taskId } = await approvedSignal(db);
    await stop("1002", "t3");
    expect(await problemOf(taskId)).toBeNull();
    expect(await reserve(db, work)).toMatchObject({ status: "reserved" });
    const trade = await accept(
      db,
      alertEvent(`trade ${Math.random()}`, { source: "desk", action: "TRADE" }),
    );
    expect(await problemOf(trade.task_id as string)).toBe("stopped");
  });

  it("of T3 holds a task whose action the policy does not know", async () => {
    const { taskId } = await approvedSignal(db);
    await stop("1002", "t3");
    await db.owner("update public.tasks set action = 'TELEPORT' where task_id = $1", [taskId]);
    expect(await problemOf(taskId)).toBe("stopped");
  });

  it("asks for no second factor and no policy", async () => {
    expect(await say("1001", { type: "stop", scope: "all" }, { policy_sha256: null }))
      .toMatchObject({ reply: "stopped" });
    const [row] = await db.owner<{ reason: string; changed_by: string }>(
      "select reason, changed_by from public.emergency_stops where scope = 'all'",
    );
    expect(row).toEqual({ reason: "no reason was given", changed_by: "operator:olga" });
  });

  it("stops everything when its scope cannot be read", async () => {
    await say("1001", { type: "stop", scope: ["t3"], reason: null });
    expect(await stateOf("all")).toBe("stopped");
  });

  it("is announced to every member once, and audited each time", async () => {
    const before = (await actionsOn("stop:all")).length;
    expect(await newsOf("stopped", () => stop())).toEqual(everybody);
    expect(await newsOf("stopped", () => stop("1002"))).toEqual([]);
    expect((await actionsOn("stop:all")).slice(before)).toEqual(["stop.set"]);
    expect(await actionsOn("stops")).toContain("stop.repeat");
    const [row] = await db.owner<{ changed_by: string }>(
      "select changed_by from public.emergency_stops where scope = 'all'",
    );
    expect(row.changed_by).toBe("operator:olga");
    expect((await told("stopped")).at(-1)?.payload).toMatchObject({
      scope: "all",
      reason: "smoke",
      by: "operator:olga",
    });
  });

  it("needs no Telegram: the administrator's command is enough", async () => {
    const call = (role: string, scope: string) =>
      db.as<{ answer: Record<string, unknown> }>(
        role,
        "select api.stop($1, 'from the terminal', 'cli:ada') as answer",
        [scope],
      );
    expect((await call("administrator", "all"))[0].answer).toMatchObject({ state: "stopped" });
    expect(await stateOf("all")).toBe("stopped");
    expect((await call("administrator", "T3"))[0].answer).toMatchObject({
      refused: "invalid_request",
    });
    for (const role of ["service_role", "authenticated", "anon", "auditor"]) {
      await expect(call(role, "all")).rejects.toMatchObject({ code: "42501" });
    }
  });
});

describe("a stop that cannot be read", () => {
  it("stands when its row is gone", async () => {
    const { work, taskId } = await approvedSignal(db);
    await db.owner("delete from public.emergency_stops where scope = 'all'");
    expect(await problemOf(taskId)).toBe("stopped");
    expect(await reserve(db, work)).toMatchObject({ refused: "stopped" });
  });

  it("stands for T3 when that row is gone", async () => {
    await db.owner("delete from public.emergency_stops where scope = 't3'");
    const { task_id } = await accept(
      db,
      alertEvent(`trade ${Math.random()}`, { source: "desk", action: "TRADE" }),
    );
    expect(await problemOf(task_id as string)).toBe("stopped");
  });

  it.each(["RUNNING", "", " running", "off", null])(
    "stands when its value is %j",
    async (value) => {
      const write = "update public.emergency_stops set state = $1 where scope = 'all'";
      await expect(db.owner(write, [value])).rejects.toMatchObject({
        code: value === null ? "23502" : "23514",
      });
      // As it would be after somebody had taken the constraints away.
      await db.pg.transaction(async (tx) => {
        await tx.exec(`set local role postgres; alter table public.emergency_stops
        drop constraint stop_state_is_known, alter column state drop not null`);
        await tx.query(write, [value]);
        const { rows } = await tx.query("select private.is_stopped('all') as stopped");
        expect(rows).toEqual([{ stopped: true }]);
        await tx.rollback();
      });
      expect(await stateOf("all")).toBe("running");
    },
  );

  it("lets nothing start when its table cannot be read at all", async () => {
    const { work, taskId } = await approvedSignal(db);
    await db.owner("alter table public.emergency_stops rename to mislaid");
    await expect(reserve(db, work)).rejects.toMatchObject({ code: "42P01" });
    await db.owner("alter table public.mislaid rename to emergency_stops");
    expect(await db.owner("select 1 from public.effects where task_id = $1", [taskId])).toEqual([]);
  });

  it("lets nothing start on a snapshot that may be older than it", async () => {
    const { work } = await approvedSignal(db);
    await expect(db.pg.transaction(async (tx) => {
      await tx.exec("set transaction isolation level repeatable read; set local role service_role");
      await tx.query(
        "select api.reserve_effect($1, $2, $3, 'publish', 'console', null, '{}', '')",
        [
          work.step_id,
          work.attempt,
          work.lease_token,
        ],
      );
    })).rejects.toMatchObject({ code: "0A000" });
    expect(await claim(db, ["nobody"])).toEqual([]);
  });
});
