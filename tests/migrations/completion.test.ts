import { describe, expect, it } from "vitest";
import {
  archive,
  claim,
  complete,
  fail,
  lease,
  marks,
  policy,
  refusalsOf,
  reserve,
  resultOf,
  statusOf,
} from "../support/line.ts";
import { act, batch, clock, db, item, record, stepOf, task, twins } from "./read-task.ts";

describe("a completion is refused", () => {
  it("by a lost lease, which is on record, and changes nothing", async () => {
    const taskId = await task([act]);
    const [work] = await claim(db);
    for (
      const other of [{ attempt: 2 }, { lease_token: crypto.randomUUID() }, {
        step_id: crypto.randomUUID(),
      }]
    ) {
      expect(await complete(db, { ...work, ...other }, resultOf(work))).toMatchObject([{
        refused: "stale_lease",
      }]);
    }
    expect(await refusalsOf(db, taskId)).toEqual(["stale_lease", "stale_lease"]);
    expect(await stepOf(taskId, "act")).toMatchObject({ status: "running" });
  });

  it("from a worker that was paused while another took over", async () => {
    const taskId = await task([act]);
    const [slow] = await claim(db);
    await clock.advance(31);
    await db.database.call("sweep");
    const [quick] = await claim(db);
    expect(await complete(db, slow, resultOf(slow))).toMatchObject([{ refused: "stale_lease" }]);
    expect(await fail(db, slow)).toMatchObject({ refused: "stale_lease" });
    expect(await db.database.call("extend_lease", lease(slow))).toMatchObject({
      refused: "stale_lease",
    });
    expect(await complete(db, quick, resultOf(quick))).toMatchObject([{ status: "done" }]);
    expect(
      await db.owner("select 1 from public.artifacts where task_id = $1 and type = 'result'", [
        taskId,
      ]),
    ).toHaveLength(1);
  });

  it("the second time, in the same batch and in the next", async () => {
    const taskId = await task([act]);
    const [work] = await claim(db);
    expect(
      (await batch([item(work), item(work)])).map(({ status, refused }) => refused ?? status)
        .sort(),
    ).toEqual(["done", "stale_lease"]);
    expect(await batch([item(work)])).toMatchObject([{ refused: "stale_lease" }]);
    expect(
      await db.owner("select 1 from public.artifacts where task_id = $1 and type = 'result'", [
        taskId,
      ]),
    ).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ["nothing", null],
    ["an artifact without content", { artifact: { type: "result", media_type: "text/plain" } }],
    ["an artifact that is a list", { artifact: [] }],
    ["an artifact of an odd type", {
      artifact: { type: "Result!", media_type: "text/plain", content: "x" },
    }],
    ["an artifact that passes itself off as the post", {
      artifact: { type: "post", media_type: "text/plain", content: "x" },
    }],
    ["257 KiB", {
      artifact: { type: "result", media_type: "text/plain", content: "x".repeat(263_168) },
    }],
    ["a post that belongs to nothing", { post: "x" }],
    ["a quality above one", { quality_score: 1.7 }],
    ["a quality in words", { quality_score: "0.95" }],
  ])("with %s, and its neighbour in the batch is done", async (_what, result) => {
    const taskId = await task(twins);
    const [left, right] = (await claim(db)).sort((a, b) => a.node_id < b.node_id ? -1 : 1);
    const answers = await batch([item(left, result), item(right)]);
    expect(answers.find(({ step_id }) => step_id === left.step_id)).toMatchObject({
      refused: "invalid_request",
    });
    expect([await stepOf(taskId, "left"), await stepOf(taskId, "right")]).toMatchObject([{
      status: "running",
    }, { status: "done" }]);
  });

  it("of an effect and of the archive, which end through their own functions", async () => {
    const taskId = await task([act]);
    for (const node of ["act", "critic"]) {
      const [work] = await claim(db);
      expect(work.node_id).toBe(node);
      expect(await complete(db, work, resultOf(work))).toMatchObject([{ status: "done" }]);
    }
    const [effect] = await claim(db);
    expect(await complete(db, effect, resultOf(effect))).toMatchObject([{
      refused: "invalid_request",
    }]);
    await reserve(db, effect, record);
    const [last] = await claim(db);
    expect(await complete(db, last, {})).toMatchObject([{ refused: "invalid_request" }]);
    expect(await archive(db, last)).toEqual({ status: "archived" });
    expect(await statusOf(db, taskId)).toBe("archived");
  });

  it.each<[string, string, Record<string, unknown> | null]>([
    ["without an evaluation", "evaluation_missing", null],
    ["of an artifact of nobody", "evaluation_missing", {
      artifact_id: crypto.randomUUID(),
      rubric: marks,
    }],
    ["with a mark above its maximum", "score_out_of_range", {
      rubric: { ...marks, factuality: 3.01 },
    }],
    ["with a mark below zero", "score_out_of_range", { rubric: { ...marks, risk: -1 } }],
    ["with a mark in words", "score_out_of_range", { rubric: { ...marks, risk: "1" } }],
    ["with a mark missing", "score_out_of_range", { rubric: { policy: 1 } }],
    ["of other bytes than the stored ones", "digest_drift", {
      rubric: marks,
      artifact_checksum: "0".repeat(64),
    }],
    ["with flags that are no list", "invalid_request", { rubric: marks, red_flags: { a: 1 } }],
  ])("of a critic %s: %s", async (_what, code, evaluation) => {
    await task([act]);
    const [draft] = await claim(db);
    await complete(db, draft, resultOf(draft));
    const [work] = await claim(db);
    const artifact_id = work.inputs.find(({ node_id }) => node_id === "act")!.artifact_id;
    const answers = await batch([
      item(work, evaluation === null ? {} : { evaluation: { artifact_id, ...evaluation } }),
    ]);
    expect(answers).toMatchObject([{ refused: code }]);
  });

  it("of a critic that wrote what it marks", async () => {
    await task([act]);
    const [draft] = await claim(db);
    await complete(db, draft, resultOf(draft));
    await db.owner(
      "update public.artifacts set agent = $1 where task_id = $2 and type = 'result'",
      [policy.agents.critic, draft.task_id],
    );
    const [work] = await claim(db);
    expect(await complete(db, work, resultOf(work))).toMatchObject([{
      refused: "author_is_critic",
    }]);
  });
});
