import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  type Answer,
  archivedSignal,
  claim,
  complete,
  marks,
  openCode,
  plan,
  policy,
  resultOf,
  signalAtGate,
  statusOf,
} from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());

/** A signal up to its critic, so that the policy may change before the mark. */
async function marked(
  rubric: Record<string, number>,
  before: () => Promise<unknown> = async () => {},
  more: Record<string, unknown> = {},
): Promise<string> {
  const { task_id } = await accept(db, alertEvent(`BUY ${Math.random()}`));
  for (let round = 0; round < 6; round++) {
    for (const work of (await claim(db)).filter((item) => item.task_id === task_id)) {
      if (work.agent_class === "planner") await plan(db, work);
      else if (work.agent_class !== "critic") await complete(db, work, resultOf(work));
      else {
        await before();
        const result = resultOf(work, rubric) as { evaluation: Record<string, unknown> };
        await complete(db, work, { ...result, evaluation: { ...result.evaluation, ...more } });
        await activate(db);
        return task_id as string;
      }
    }
  }
  throw new Error("no critic step");
}
const verdicts = (taskId: string) =>
  db.owner(
    "select score::text, threshold::text, verdict, red_flags from public.evaluations where task_id = $1",
    [taskId],
  );

describe("a verdict", () => {
  const good = { ...marks, evidence: 1, clarity: 1.9 }; // 7.9 of 9: 0.8778

  it("flips with the threshold of the active policy, without a change of code", async () => {
    const passed = await marked(good);
    expect(await verdicts(passed)).toEqual([{
      score: "0.8778",
      threshold: "0.8000",
      verdict: "pass",
      red_flags: [],
    }]);
    const failed = await marked(
      good,
      () =>
        activate(db, "stricter", {
          ...policy,
          approvals: { ...policy.approvals, T2: ["critic>=0.95", "operator_approval"] },
        }),
    );
    expect(await verdicts(failed)).toEqual([{
      score: "0.8778",
      threshold: "0.9500",
      verdict: "fail",
      red_flags: [],
    }]);
    expect([await statusOf(db, passed), await statusOf(db, failed)]).toEqual([
      "awaiting_approval",
      "rejected",
    ]);
    expect(await openCode(db, failed)).toBeUndefined();
  });

  it.each<[string, Record<string, number>, string]>([
    ["6.99 points", { policy: 1, evidence: 2, factuality: 2.99, clarity: 0, risk: 1 }, "fail"],
    ["7 points, which T2 finds too few", {
      policy: 1,
      evidence: 2,
      factuality: 3,
      clarity: 0,
      risk: 1,
    }, "fail"],
    ["7.2 points, the threshold itself", {
      policy: 1,
      evidence: 2,
      factuality: 3,
      clarity: 0.2,
      risk: 1,
    }, "pass"],
    ["9 points", marks, "pass"],
    ["8 points and a risk", { ...marks, risk: 0 }, "fail"],
    ["8 points and a breach of policy", { ...marks, policy: 0 }, "fail"],
  ])("for %s is right", async (_what, rubric, verdict) => {
    expect(await verdicts(await marked(rubric))).toMatchObject([{ verdict }]);
  });

  it("may be stricter than the figures, never laxer", async () => {
    expect(await verdicts(await marked(marks, undefined, { verdict: "fail" }))).toMatchObject([{
      verdict: "fail",
    }]);
    expect(
      await verdicts(
        await marked({ ...marks, factuality: 0 }, undefined, { verdict: "pass", threshold: 0 }),
      ),
    ).toMatchObject([{ verdict: "fail" }]);
    expect(await verdicts(await marked(marks, undefined, { red_flags: ["injection"] })))
      .toMatchObject([{ verdict: "fail", red_flags: ["injection"] }]);
  });

  it("flags a lost mark by its name, unless the critic has said what it is", async () => {
    const lost = { ...marks, policy: 0, risk: 0 };
    expect(await verdicts(await marked(lost))).toMatchObject([{ red_flags: ["policy", "risk"] }]);
    const said = ["policy", "risk: the stop is on the wrong side", "riskier than the last"];
    expect(await verdicts(await marked(lost, undefined, { red_flags: said })))
      .toMatchObject([{ red_flags: said }]);
    expect(await verdicts(await marked(lost, undefined, { red_flags: [said[2]] })))
      .toMatchObject([{ red_flags: ["policy", "risk", said[2]] }]);
  });

  it("cannot be written as a pass that it is not", async () => {
    const taskId = await signalAtGate(db);
    for (
      const sets of [
        "total = 6, score = round(6 / 9.0, 4)",
        "red_flags = '{risk}'",
        "critic = author",
        "score = 0.9",
        "threshold = 0.99, total = 8, score = round(8 / 9.0, 4)",
      ]
    ) {
      await db.owner("alter table public.evaluations disable trigger user");
      await expect(
        db.owner(`update public.evaluations set ${sets} where task_id = $1`, [taskId]),
        sets,
      ).rejects.toMatchObject({ code: "23514" });
      await db.owner("alter table public.evaluations enable trigger user");
    }
  });
});

describe("an opinion asked outside the line", () => {
  const ask = (evaluation: unknown, taskId: string) =>
    db.database.call<Answer>("record_evaluation", { p_evaluation: evaluation, p_task_id: taskId });
  const artifactOf = async (taskId: string) =>
    (await db.owner<{ id: string }>(
      "select artifact_id as id from public.artifacts where task_id = $1 and type = 'idea'",
      [taskId],
    ))[0].id;

  it("gates nothing", async () => {
    const taskId = await signalAtGate(db);
    const before = await db.owner(
      "select digest from public.approval_requests where task_id = $1",
      [taskId],
    );
    await ask({
      critic: "critic:other",
      artifact_id: await artifactOf(taskId),
      rubric: { ...marks, risk: 0 },
    }, taskId);
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
    expect(
      await db.owner(
        "select private.digest_json(private.bound_to(task_id, step_id, expires_at)) as digest from public.approval_requests where task_id = $1",
        [taskId],
      ),
    ).toEqual(before);
  });

  it("is refused with a value when it is nobody's, about nothing, the author's or too long", async () => {
    const taskId = await signalAtGate(db);
    const artifact_id = await artifactOf(taskId);
    expect(await ask({ artifact_id, rubric: marks }, taskId)).toMatchObject({
      refused: "invalid_request",
    });
    expect(await ask({ critic: "c", artifact_id: "x", rubric: marks }, taskId)).toMatchObject({
      refused: "evaluation_missing",
    });
    expect(await ask({ critic: "c", artifact_id, rubric: marks }, "T-2026-01-01-9999"))
      .toMatchObject({ refused: "evaluation_missing" });
    expect(await ask({ critic: policy.agents.trader, artifact_id, rubric: marks }, taskId))
      .toMatchObject({ refused: "author_is_critic" });
    expect(
      await ask({ critic: "c", artifact_id, rubric: marks, notes: ["x".repeat(70_000)] }, taskId),
    ).toMatchObject({ refused: "payload_too_large" });
  });

  it("on an archived task leaves a note and no evaluation", async () => {
    const taskId = await archivedSignal(db);
    const before = await verdicts(taskId);
    expect(await ask({ critic: "c", artifact_id: await artifactOf(taskId), rubric: marks }, taskId))
      .toEqual({ evaluation_id: null });
    expect(await verdicts(taskId)).toEqual(before);
  });
});

describe("a failing critic", () => {
  it("ends the task before anything had an effect, raises an incident and tells people", async () => {
    const taskId = await marked({ ...marks, evidence: 0, clarity: 0 });
    expect(await statusOf(db, taskId)).toBe("rejected");
    const [incident] = await db.owner<{ payload: Record<string, unknown> }>(
      "select payload_json as payload from public.events where task_id = $1 and type = 'INCIDENT_RAISED'",
      [taskId],
    );
    expect(incident.payload).toMatchObject({ code: "critic_rejected", undone: [] });
    expect(
      await db.owner(
        "select payload_json ->> 'topic' as topic from public.notifications where task_id = $1",
        [taskId],
      ),
    ).toContainEqual({ topic: "task_rejected" });
    expect(await db.owner("select 1 from public.effects where task_id = $1", [taskId])).toEqual([]);
  });
});
