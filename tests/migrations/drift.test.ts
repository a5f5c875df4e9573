import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  activate,
  addMember,
  approvedSignal,
  claimPublish,
  decide,
  openCode,
  policy,
  policySha256,
  reserve,
  start,
  statusOf,
} from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());

/** What an owner of the tables could change between the yes and the effect: every field of the digest once. */
const flips: [string, string][] = [
  [
    "the proposal's content",
    "update public.artifacts set content = '{}' where task_id = $1 and type = 'idea'",
  ],
  [
    "the proposal's content and its checksum",
    "update public.artifacts set content = '{}', checksum = private.sha256_hex('{}') where task_id = $1 and type = 'idea'",
  ],
  [
    "the post",
    "update public.artifacts set content = 'all in', checksum = private.sha256_hex('all in') where task_id = $1 and type = 'post'",
  ],
  [
    "a further artifact of the step",
    `insert into public.artifacts (task_id, step_id, type, storage_ref, checksum, agent, media_type, content)
    select task_id, step_id, 'post', storage_ref || '2', private.sha256_hex('all in'), agent, media_type, 'all in'
    from public.artifacts where task_id = $1 and type = 'post'`,
  ],
  [
    "the score and the rubric, by a later evaluation",
    `insert into public.evaluations (task_id, step_id, artifact_id, artifact_checksum, critic, author,
      rubric, rubric_sha256, total, score, threshold, verdict)
    select task_id, step_id, artifact_id, artifact_checksum, critic, author, rubric, repeat('a', 64), 8, round(8 / 9.0, 4), threshold, 'pass'
    from public.evaluations where task_id = $1`,
  ],
  [
    "the critic, by a later evaluation",
    `insert into public.evaluations (task_id, step_id, artifact_id, artifact_checksum, critic, author,
      rubric, rubric_sha256, total, score, threshold, verdict)
    select task_id, step_id, artifact_id, artifact_checksum, 'critic:other', author, rubric, rubric_sha256, total, score, threshold, 'pass'
    from public.evaluations where task_id = $1`,
  ],
  [
    "the expiry",
    "update public.approval_requests set expires_at = expires_at + interval '1 day' where task_id = $1",
  ],
  [
    "the digest itself",
    "update public.approval_requests set digest = repeat('0', 64) where task_id = $1",
  ],
  ["the tier", "update public.tasks set risk_tier = 'T1' where task_id = $1"],
  ["the action", "update public.tasks set action = 'SOCIAL_POST' where task_id = $1"],
  ["the tenant", "update public.tasks set tenant_id = 'other' where task_id = $1"],
];

describe("after the approval", () => {
  it.each(flips)("a change of %s keeps the effect from being reserved", async (_what, sql) => {
    const { taskId, work } = await approvedSignal(db);
    await db.owner(sql, [taskId]);
    const [post] = await db.owner<{ content: string }>(
      "select content from public.artifacts where task_id = $1 and type = 'post' order by created_at desc, content limit 1",
      [taskId],
    );
    expect(await reserve(db, work, { p_payload: { text: post.content } })).toMatchObject({
      refused: "digest_drift",
    });
    expect(await db.owner("select 1 from public.effects where task_id = $1", [taskId])).toEqual([]);
    expect(
      await db.owner(
        "select 1 from public.approval_requests where task_id = $1 and status = 'approved'",
        [taskId],
      ),
    ).toEqual([]);
    expect(["awaiting_approval", "rejected"]).toContain(await statusOf(db, taskId));
  });

  it.each(flips.filter(([what]) => !what.includes("expiry") && !what.includes("digest")))(
    "and reservation, a change of %s keeps it from being sent, and ends the task",
    async (_what, sql) => {
      const { taskId, work } = await approvedSignal(db);
      const { effect_id } = await reserve(db, work);
      await db.owner(sql, [taskId]);
      expect(await start(db, effect_id, work)).toMatchObject({ refused: "digest_drift" });
      expect(await statusOf(db, taskId)).toBe("rejected");
      expect(await db.owner("select status from public.effects where task_id = $1", [taskId]))
        .toEqual([{ status: "failed" }]);
    },
  );

  it("another payload than the post, or one that would make it read otherwise, is not reserved", async () => {
    const { work, taskId } = await approvedSignal(db);
    for (
      const payload of [
        { text: "all in" },
        { text: "BTCUSDT long, entry 67000", parse_mode: "HTML" },
        {},
        { text: null },
      ]
    ) {
      expect(await reserve(db, work, { p_payload: payload })).toMatchObject({
        refused: "digest_drift",
      });
    }
    // The approval is whole, so nobody is asked again.
    expect(
      await db.owner("select status from public.approval_requests where task_id = $1", [taskId]),
    ).toEqual([{ status: "approved" }]);
  });

  it("the payload of a reservation cannot be swapped before it is sent", async () => {
    const { work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    await db.owner(
      'update public.effects set payload_json = \'{"text": "all in"}\' where effect_id = $1',
      [effect_id],
    );
    expect(await start(db, effect_id, work)).toMatchObject({ refused: "digest_drift" });
  });
});

describe("a policy activated between approval and effect", () => {
  const activeSha = async () =>
    (await db.owner<{ sha: string }>("select private.active_policy_sha256() as sha"))[0].sha;

  it("has people asked anew, and their new yes publishes", async () => {
    const { taskId, code, work } = await approvedSignal(db);
    await activate(db, "the same, reworded", policy);
    const sha = await activeSha();
    expect(await reserve(db, work)).toMatchObject({ refused: "policy_not_approved" });
    expect(await reserve(db, work, { p_policy_sha256: sha })).toMatchObject({
      refused: "digest_drift",
    });
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
    expect(await claimPublish(db, taskId)).toBeNull();
    const again = await openCode(db, taskId);
    expect(again).not.toBe(code);
    expect(await decide(db, "1001", again, "approve", { policy_sha256: sha })).toMatchObject({
      status: "approved",
    });
    const fresh = await claimPublish(db, taskId);
    expect(await reserve(db, fresh!, { p_policy_sha256: sha })).toMatchObject({
      status: "reserved",
    });
    expect(
      await db.owner(
        "select status from public.approval_requests where task_id = $1 order by requested_at",
        [taskId],
      ),
    )
      .toEqual([{ status: "superseded" }, { status: "consumed" }]);
    await activate(db);
  });

  it("raises the tier with the action: a T2 approval does not carry a T3 effect", async () => {
    const { taskId, work } = await approvedSignal(db);
    await activate(db, "stricter tiers", {
      ...policy,
      risk_tiers: {
        ...policy.risk_tiers,
        T2: ["SOCIAL_POST"],
        T3: [...policy.risk_tiers.T3, "PUBLISH"],
      },
    });
    expect(await reserve(db, work, { p_policy_sha256: await activeSha() })).toMatchObject({
      refused: "digest_drift",
    });
    // A T3 effect needs a dry run besides, and a signal has none: nobody is even asked.
    expect(await statusOf(db, taskId)).toBe("rejected");
    expect(
      await db.owner("select risk_tier, reason from public.tasks where task_id = $1", [taskId]),
    ).toEqual([{ risk_tier: "T3", reason: "dry_run_missing" }]);
    await activate(db);
  });

  it("asks nobody about a proposal that the new threshold fails", async () => {
    const { taskId, work } = await approvedSignal(db);
    await db.owner(
      `insert into public.evaluations (task_id, step_id, artifact_id, artifact_checksum, critic, author,
        rubric, rubric_sha256, total, score, threshold, verdict)
      select task_id, step_id, artifact_id, artifact_checksum, critic, author, rubric, rubric_sha256, 8, round(8 / 9.0, 4), threshold, 'pass'
      from public.evaluations where task_id = $1`,
      [taskId],
    );
    await activate(db, "stricter critic", {
      ...policy,
      approvals: { ...policy.approvals, T2: ["critic>=0.95", "operator_approval"] },
    });
    expect(await reserve(db, work, { p_policy_sha256: await activeSha() })).toMatchObject({
      refused: "critic_rejected",
    });
    await activate(db);
    expect(await activeSha()).toBe(policySha256);
  });
});
