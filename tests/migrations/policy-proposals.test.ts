import { describe, expect, it } from "vitest";
import {
  activate,
  addMember,
  decide,
  openCode,
  policy,
  policySha256,
  policyText,
  sha256,
  statusOf,
} from "../support/line.ts";
import {
  approved,
  fresh,
  nextBody,
  propose,
  report,
  reserveChange,
  workOn,
} from "../support/next-policy.ts";
import { active, db, problem, statusOfPolicy } from "./policy-change.ts";

const listed = (words: readonly string[] = []) =>
  `[${words.map((word) => `"${word}"`).join(", ")}]`;

describe("a proposal is refused", () => {
  it.each<[string, string, unknown, unknown, string]>([
    [
      "whose body cannot be obeyed",
      "x",
      { ...nextBody, approvals: {} },
      report(),
      "policy_invalid",
    ],
    [
      "that would open the way around proposals",
      "x",
      { ...nextBody, second_factor: undefined },
      report(),
      "policy_invalid",
    ],
    ["without a report", "x", nextBody, null, "invalid_request"],
    ["compared with another policy", "x", nextBody, report("1".repeat(64)), "invalid_request"],
    [
      "with a report that has no one form",
      "x",
      nextBody,
      report(policySha256, { loosened: 3 }),
      "invalid_request",
    ],
    [
      "with a report of any length",
      "x",
      nextBody,
      report(policySha256, { note: "x".repeat(40_000) }),
      "invalid_request",
    ],
  ])("%s", async (_, text, body, given, code) => {
    expect(await propose(db, text, body, given)).toMatchObject({ refused: code });
    expect(await statusOfPolicy(db, sha256(text))).toBeUndefined();
  });

  it.each([null, "", "cli:somebody", "telegram:9999"])(
    "by %j, who is no member: nobody could be kept from approving it",
    async (actor) => {
      const answer = await propose(db, fresh(), nextBody, report(), actor);
      expect(answer).toMatchObject({ refused: "invalid_request" });
      expect(answer.reason).toContain("which member");
    },
  );

  it("by a member who was removed", async () => {
    await addMember(db, "reviewer", "rolf", "1009");
    await db.as("administrator", "select api.remove_member('rolf', 'test')");
    expect(await propose(db, fresh(), nextBody, report(), "cli:rolf")).toMatchObject({
      refused: "invalid_request",
    });
  });

  it("by the functions' role, which cannot even ask", async () => {
    await expect(
      db.as("service_role", "select api.propose_policy('x', '{}', '{}', 'me')"),
    ).rejects.toMatchObject({ code: "42501" });
  });
});

describe("a proposal", () => {
  it("is a T3 task that carries its report, and the same one again is the same task", async () => {
    const text = fresh();
    const proposed = await propose(db, text);
    expect(proposed).toMatchObject({ status: "proposed", tier: "T3", changed: true });
    expect(await propose(db, text)).toMatchObject({ changed: false, task_id: proposed.task_id });
    const [task] = await db.owner<{ action: string; source: string; payload: unknown }>(
      "select action, source, payload_json as payload from public.tasks where task_id = $1",
      [proposed.task_id],
    );
    expect(task).toMatchObject({
      action: "POLICY_CHANGE",
      source: "policy",
      payload: {
        policy_sha256: sha256(text),
        replay_sha256: proposed.replay_sha256,
        tightened: "2",
      },
    });
    expect(await active()).toBe(policySha256);
    expect(await problem(sha256(text))).toBe("policy_not_approved");
    await workOn(db);
    const code = await openCode(db, proposed.task_id as string);
    expect(code).toMatch(/^T3-/);
    await decide(db, "1001", code, "reject");
    expect(await statusOfPolicy(db, sha256(text))).toBe("refused");
  });

  it("is its proposer's, who does not approve it", async () => {
    const { task_id } = await propose(db, fresh(), nextBody, report(), "cli:Olga");
    expect(await db.owner("select actor from public.tasks where task_id = $1", [task_id]))
      .toEqual([{ actor: "operator:olga" }]);
    await workOn(db);
    const code = await openCode(db, task_id as string);
    expect(await decide(db, "1001", code)).toMatchObject({ refused: "self_approval" });
    await decide(db, "1002", code, "reject");
  });

  it("says what changes, whatever its report claims", async () => {
    const body = {
      ...nextBody,
      approvals: { ...policy.approvals, T3: ["critic>=0.5", "operator_approval"] },
    };
    const claims = report(policySha256, { changes: ["version: 1 → 2"], changed: "0" });
    const { task_id, changes } = await propose(db, fresh(), body, claims);
    expect(changes).toEqual([
      `approvals.T3: ${listed(policy.approvals.T3)} → ["critic>=0.5", "operator_approval"]`,
      `version: ${policy.version} → ${policy.version + 1}`,
    ]);
    const [task] = await db.owner<{ report: unknown }>(
      "select payload_json -> 'report' as report from public.tasks where task_id = $1",
      [task_id],
    );
    expect(task.report).toMatchObject({ changes, changed: "2" });
    await workOn(db);
  });

  it("whose database body says something else than its text does not get as far as people", async () => {
    const text = fresh();
    const { task_id } = await propose(db, text, { ...nextBody, second_factor: { required: [] } });
    expect(await workOn(db)).toBeNull();
    expect(await statusOf(db, task_id as string)).toBe("rejected");
    expect(await openCode(db, task_id as string)).toBeUndefined();
    expect(await statusOfPolicy(db, sha256(text))).toBe("refused");
  });

  it("of the policy in force changes nothing", async () => {
    expect(await propose(db, policyText, policy)).toMatchObject({
      status: "active",
      changed: false,
    });
  });

  it("that was once in force is retired again when it is refused", async () => {
    const text = fresh();
    await activate(db, text, nextBody);
    await activate(db);
    const { task_id } = await propose(db, text);
    await workOn(db);
    await decide(db, "1002", await openCode(db, task_id as string), "reject");
    expect(await statusOfPolicy(db, sha256(text))).toBe("retired");
  });
});

describe("between the approval and the effect", () => {
  it.each<[string, string, string]>([
    [
      "the parsed body",
      "update public.policies set body = body || '{\"version\": 9}' where policy_sha256 = $1",
      "digest_drift",
    ],
    [
      "the text",
      "update public.policies set policy_text = policy_text || ' ' where policy_sha256 = $1",
      "digest_drift",
    ],
    [
      "the report",
      'update public.policies set report = report || \'{"loosened": "0", "note": "fine"}\' where policy_sha256 = $1',
      "digest_drift",
    ],
    [
      "its task",
      "update public.policies set task_id = (select min(task_id) from public.tasks) where policy_sha256 = $1",
      "illegal_transition",
    ],
  ])("a change of %s keeps the policy out", async (_, sql, code) => {
    const { work, sha } = await approved(db, fresh());
    await db.owner(sql, [sha]);
    expect(await reserveChange(db, work)).toMatchObject({ refused: code });
    expect(await statusOfPolicy(db, sha)).toBe("proposed");
    expect(await active()).toBe(policySha256);
  });

  it("another policy than the proposal's is not adopted", async () => {
    const { work } = await approved(db, fresh());
    expect(
      await reserveChange(db, work, {
        p_payload: { policy_sha256: policySha256, replay_sha256: "1".repeat(64) },
      }),
    ).toMatchObject({ refused: "digest_drift" });
  });
});
