import { describe, expect, it } from "vitest";
import { policyDigest } from "../../functions/_policy/policy-digest.ts";
import {
  claim,
  decide,
  openCode,
  policy,
  policySha256,
  sha256,
  statusOf,
} from "../support/line.ts";
import {
  approved,
  fresh,
  functions,
  nextBody,
  propose,
  reportBundle,
  reserveChange,
  workOn,
} from "../support/next-policy.ts";
import { active, clock, db, pending, problem, statusOfPolicy } from "./policy-change.ts";

describe("an approved policy", () => {
  it("waits, and no effect follows from an older process's report", async () => {
    const text = fresh();
    for (const name of functions) await reportBundle(db, name, sha256(text));
    await clock.advance(60);
    const change = await approved(db, text);
    await reserveChange(db, change.work);
    expect(await statusOfPolicy(db, change.sha)).toBe("pending");
    expect(await active()).toBe(policySha256);
    expect(await problem(change.sha)).toBe("policy_not_active");
    expect(await problem(policySha256)).toBeNull();
  });

  it("is in force for all at once when the last function carries it", async () => {
    const { sha, taskId } = await pending();
    for (const name of functions.slice(0, -1)) {
      expect(await reportBundle(db, name, sha)).toMatchObject({ problem: "policy_not_active" });
      expect(await active()).toBe(policySha256);
    }
    expect(await reportBundle(db, functions[4], sha)).toMatchObject({ problem: null, active: sha });
    expect(await statusOfPolicy(db, policySha256)).toBe("retired");
    expect(await problem(policySha256)).toBe("policy_not_approved");
    expect(
      await db.owner(
        "select status, receipt_json ->> 'status' as was from public.effects where task_id = $1",
        [taskId],
      ),
    ).toEqual([{ status: "confirmed", was: "pending" }]);
    const archive = (await claim(db, ["orchestrator"])).find((step) => step.task_id === taskId)!;
    await db.database.call("archive_task", {
      p_step_id: archive.step_id,
      p_attempt: archive.attempt,
      p_lease_token: archive.lease_token,
      p_chunks: [],
    });
    expect(await statusOf(db, taskId)).toBe("archived");
  });

  it.each([["another body", "0".repeat(64)], ["no body", null]])(
    "waits for a function that reports %s for its text",
    async (_, body) => {
      const { sha } = await pending();
      for (const name of functions.slice(1)) await reportBundle(db, name, sha);
      expect(await reportBundle(db, functions[0], sha, "process", body)).toMatchObject({
        problem: "policy_not_active",
        waits_for: [functions[0]],
      });
      expect(await active()).toBe(policySha256);
      expect(
        await db.owner("select code, severity from public.alerts where subject = $1", [
          `policy:${sha}`,
        ]),
      ).toEqual(body === null ? [] : [{ code: "digest_drift", severity: "critical" }]);
      expect(await reportBundle(db, functions[0], sha)).toMatchObject({ problem: null });
    },
  );

  it("fills the agent registry when it comes into force", async () => {
    const text = fresh().replace(policy.agents.trader, "trader:v99");
    const body = { ...nextBody, agents: { ...policy.agents, trader: "trader:v99" } };
    const { task_id } = await propose(db, text, body);
    await workOn(db);
    const code = await openCode(db, task_id as string);
    await decide(db, "1001", code);
    await decide(db, "1002", code);
    await reserveChange(db, (await workOn(db))!);
    const digest = await policyDigest(body);
    for (const name of functions) await reportBundle(db, name, sha256(text), "process", digest);
    expect(await db.owner("select agent from public.agents where agent_class = 'trader'")).toEqual([
      { agent: "trader:v99" },
    ]);
  });

  it("gives way to a later one", async () => {
    const first = await pending();
    const second = await pending();
    expect(await statusOfPolicy(db, first.sha)).toBe("refused");
    expect(await statusOfPolicy(db, second.sha)).toBe("pending");
  });

  it("that was altered while it waited is refused, and somebody is told", async () => {
    const { sha } = await pending();
    await db.owner(
      "update public.policies set body = body || '{\"version\": 9}' where policy_sha256 = $1",
      [sha],
    );
    for (const name of functions) await reportBundle(db, name, sha);
    expect(await statusOfPolicy(db, sha)).toBe("refused");
    expect(await active()).toBe(policySha256);
    expect(
      await db.owner("select severity from public.alerts where subject = $1", [`policy:${sha}`]),
    ).toEqual([{ severity: "critical" }]);
  });
});
