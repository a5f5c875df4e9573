import { describe, expect, it } from "vitest";
import { claim, fail, lease } from "../support/line.ts";
import { act, batch, clock, db, item, stepOf, task, twins } from "./read-task.ts";

/** Steps that are ready and not in the queue, or in the queue and not ready. There must never be one. */
const astray = () =>
  db.owner(
    `select s.step_id, s.status, r.step_id as queued from public.task_steps s full join private.ready_steps r
       on r.step_id = s.step_id and r.run_at = s.run_at and r.agent_class = s.agent_class
     where (r.step_id is not null) <> (coalesce(s.status, '') = 'ready')`,
  );

const queued = async (stepId: string) =>
  (await db.owner<{ run_at: Date }>("select run_at from private.ready_steps where step_id = $1", [
    stepId,
  ])).length;

describe("the queue of ready steps", () => {
  it("holds what is ready and nothing else, from plan to failure", async () => {
    await task(twins);
    expect(await astray()).toEqual([]);
    const [first, second] = await claim(db);
    expect([await queued(first.step_id), await queued(second.step_id)]).toEqual([0, 0]);
    await batch([item(first)]);
    await fail(db, second);
    expect(await queued(second.step_id)).toBe(1);
    expect(await astray()).toEqual([]);
    await clock.advance(61);
    const [again] = await claim(db);
    await batch([item(again)]);
    expect(await astray()).toEqual([]);
    expect(await db.owner("select 1 from private.ready_steps where agent_class = 'exec'"))
      .toHaveLength(1);
  });

  it("follows a step that is moved by SQL, whoever moves it", async () => {
    const taskId = await task([act]);
    const move = (set: string) =>
      db.owner(`update public.task_steps set ${set} where task_id = $1 and node_id = 'act'`, [
        taskId,
      ]);
    await move("run_at = run_at + interval '1 hour'");
    expect(await astray()).toEqual([]);
    expect(await claim(db)).toEqual([]);
    await move("run_at = run_at - interval '2 hours', agent_class = 'researcher'");
    expect(await astray()).toEqual([]);
    expect(await claim(db, ["exec"])).toEqual([]);
    await move("status = 'cancelled', ended_at = private.now()");
    expect(await astray()).toEqual([]);
    expect(await claim(db)).toEqual([]);
  });

  it("loses what its task's end cancels", async () => {
    const taskId = await task([act]);
    await db.owner("select private.end_task($1, 'failed', 'internal')", [taskId]);
    expect(await db.owner("select 1 from private.ready_steps")).toEqual([]);
  });

  it("is made right again by the steps themselves", async () => {
    await task(twins);
    await db.owner(
      "insert into private.ready_steps values ('exec', private.now(), gen_random_uuid())",
    );
    await db.owner("delete from private.ready_steps where agent_class = 'retriever'");
    expect(await astray()).toHaveLength(2);
    expect(await db.owner("select private.refill_ready_steps() as wrong")).toEqual([{ wrong: 2 }]);
    expect(await astray()).toEqual([]);
    expect(await db.owner("select private.refill_ready_steps() as wrong")).toEqual([{ wrong: 0 }]);
    expect(await claim(db)).toHaveLength(2);
  });

  it("cannot lead to a step that is not ready", async () => {
    const taskId = await task([act]);
    const [work] = await claim(db);
    // A row that no trigger wrote: the step's own status decides.
    await db.owner(
      "insert into private.ready_steps select agent_class, run_at, step_id from public.task_steps where task_id = $1",
      [taskId],
    );
    expect(await claim(db)).toEqual([]);
    expect(await stepOf(taskId, "act")).toMatchObject({ status: "running", attempt: work.attempt });
    await db.owner("delete from private.ready_steps");
  });
});

describe("a claim", () => {
  const pause = (consumer: string, paused: boolean) =>
    db.owner(
      `update public.event_consumers set paused = $2, paused_by = case when $2 then 'test' end,
         paused_at = case when $2 then private.now() end, pause_reason = case when $2 then 'test' end where consumer = $1`,
      [consumer, paused],
    );

  it("is handed nothing while its consumer is paused, and the other consumer is", async () => {
    await task([act]);
    await pause("orchestrator", true);
    expect(await claim(db)).toEqual([]);
    expect(await claim(db, ["exec"])).toEqual([]);
    expect(await claim(db, ["exec", "communicator"])).toEqual([]);
    await pause("orchestrator", false);
    await pause("communicator", true);
    expect(await claim(db, ["communicator"])).toEqual([]);
    expect(await claim(db)).toHaveLength(1);
    await pause("communicator", false);
  });

  it("hands out nothing of a class that is not enabled, nor what nobody asked for", async () => {
    await task([act]);
    await db.owner("update public.agents set enabled = false where agent_class = 'exec'");
    expect(await claim(db)).toEqual([]);
    expect(await claim(db, ["exec"])).toEqual([]);
    await db.owner("update public.agents set enabled = true where agent_class = 'exec'");
    expect(await claim(db, [])).toEqual([]);
    expect(await claim(db, ["exec"])).toHaveLength(1);
  });

  it("takes the oldest first, whatever its class", async () => {
    for (const agent of ["retriever", "exec", "researcher"]) {
      await task([{ ...act, id: agent, agent }]);
      await clock.advance(1);
    }
    const one = () =>
      db.database.call<{ node_id: string }[]>("claim_steps", {
        p_worker: "test",
        p_limit: 1,
        p_agents: null,
      });
    expect([await one(), await one(), await one()].flat().map(({ node_id }) => node_id)).toEqual([
      "retriever",
      "exec",
      "researcher",
    ]);
  });
});

describe("a batch", () => {
  it("is completed around what is stale, doubled or not to be stored", async () => {
    await task([act]);
    await task([act]);
    await task([act]);
    await task([act]);
    const [good, late, twice, wrong] = await claim(db);
    const answers = await batch([
      item(late, {}),
      item(good, {}),
      item(twice, {}),
      item(wrong, { artifact: "no" }),
      { ...item(twice, {}), attempt: 7 },
    ].map((one) => one.step_id === late.step_id ? { ...one, lease_token: good.lease_token } : one));
    const of = (work: { step_id: string }) =>
      answers.filter((answer) => answer.step_id === work.step_id).map(({ refused, status }) =>
        refused ?? status
      ).sort();
    expect([of(good), of(late), of(twice), of(wrong)]).toEqual([
      ["done"],
      ["stale_lease"],
      ["done", "stale_lease"],
      ["invalid_request"],
    ]);
    expect(await astray()).toEqual([]);
  });

  it("writes each agent's name on its own audit rows", async () => {
    await task(twins);
    const parents = await claim(db);
    await batch(parents.map((work) => item(work)));
    for (const work of parents) {
      const rows = await db.owner<{ actor: string }>(
        "select actor from public.audit_logs where object = $1 and action = 'step.complete' and after_json ->> 'status' = 'done'",
        [`step:${work.step_id}`],
      );
      expect(rows).toEqual([{ actor: work.agent }]);
    }
  });

  it("is completed and the next one claimed by one call", async () => {
    const taskId = await task(twins);
    const parents = await claim(db);
    const call = (results: unknown[]) =>
      db.database.call<{ answers: unknown[]; claimed: { node_id: string }[] }>(
        "complete_and_claim_steps",
        {
          p_results: results,
          p_policy_sha256: "0".repeat(64),
          p_worker: "test",
          p_limit: 10,
          p_agents: null,
        },
      );
    const next = await call(parents.map((work) => item(work)));
    expect(next.answers).toMatchObject([{ status: "done" }, { status: "done" }]);
    expect(next.claimed.map(({ node_id }) => node_id)).toEqual(["act"]);
    expect(await stepOf(taskId, "act")).toMatchObject({ status: "running" });
    expect(await call([])).toEqual({ answers: [], claimed: [] });
    expect(await call([{ ...item(parents[0]), ...lease(parents[0]) }])).toMatchObject({
      answers: [{ refused: "stale_lease" }],
      claimed: [],
    });
  });
});
