import { describe, expect, it } from "vitest";
import { bundleReporter } from "../../../functions/_policy/bundle-report.ts";
import { policyDigest } from "../../../functions/_policy/policy-digest.ts";
import { shippedPolicy } from "./shipped-policy.ts";

const policy = await shippedPolicy();

function process(
  answers: ({ problem?: string | null; refused?: string } | Error)[],
  readable = true,
) {
  const asked: Record<string, unknown>[] = [];
  let now = 0;
  const look = bundleReporter({
    function: "critic",
    instance: "one",
    policy: readable ? { ok: true, policy, sha256: "a".repeat(64) } : { ok: false },
    report: (args) => {
      asked.push(args);
      const answer = answers.length > 1 ? answers.shift()! : answers[0];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    now: () => new Date(now),
  });
  return { look, asked, wait: (seconds: number) => now += seconds * 1000 };
}

describe("a process that carries a policy", () => {
  it("learns that its policy is not approved, and looks again after five seconds", async () => {
    const { look, asked, wait } = process([{ problem: "policy_not_approved" }, { problem: null }]);
    expect(await look()).toBe("policy_not_approved");
    wait(4);
    expect(await look()).toBe("policy_not_approved");
    expect(asked).toHaveLength(1);
    wait(1);
    expect(await look()).toBeNull();
    expect(asked).toHaveLength(2);
  });

  it("takes a database that does not answer for no verdict, and asks again soon", async () => {
    const { look, asked, wait } = process([new Error("gone"), { problem: null }]);
    expect(await look()).toBeNull();
    wait(5);
    await look();
    expect(asked).toHaveLength(2);
  });

  it("is told a refusal of its report, and nothing that is no code", async () => {
    expect(await process([{ refused: "invalid_request" }]).look()).toBe("invalid_request");
    expect(await process([{ problem: "fine" }]).look()).toBeNull();
  });

  it("has neither text nor body to report where its policy cannot be read", async () => {
    const { look, asked } = process([{ problem: "policy_invalid" }], false);
    expect(await look()).toBe("policy_invalid");
    expect(asked[0]).toMatchObject({ p_policy_sha256: null, p_body_sha256: null });
  });

  it("reports at once and then once a minute, however often it is asked", async () => {
    const { look, asked, wait } = process([{ problem: null }]);
    await Promise.all([look(), look(), look()]);
    wait(59);
    await look();
    expect(asked).toEqual([
      {
        p_function: "critic",
        p_instance: "one",
        p_policy_sha256: "a".repeat(64),
        p_body_sha256: await policyDigest(policy),
      },
    ]);
    wait(1);
    await look();
    expect(asked).toHaveLength(2);
  });
});
