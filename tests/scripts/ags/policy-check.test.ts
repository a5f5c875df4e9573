import { describe, expect, it } from "vitest";
import { decidingPolicyOf } from "../../../functions/_policy/policy-domain.ts";
import { prove } from "../../../functions/_policy/policy-proof.ts";
import { contradiction } from "../../../scripts/ags/policy.ts";
import { breachText, proofText, rosterOf } from "../../../scripts/ags/policy-check.ts";
import { shippedPolicy, shippedText } from "../../functions/_policy/shipped-policy.ts";

const shipped = await shippedPolicy();

describe("a roster is refused", () => {
  it.each(["owner", "owner=", "owner=-1", "king=1", "owner=1;operator=1", ""])("as %j", (text) => {
    expect(() => rosterOf(text)).toThrow("is no part of a roster");
  });
});

describe("a policy that cannot be met", () => {
  it("is said with the rule's name, what it asks and who there is", () => {
    const proof = prove(decidingPolicyOf(shipped)!, rosterOf("operator=2"));
    expect(breachText(proof)).toBe(
      'approvals.T3 breaks "can be met": approvals.T3 asks operator_approval and owner_approval, and 2 operator cannot give that.',
    );
  });
});

describe("the text that people read", () => {
  it("is held against the body that the database obeys", async () => {
    const other = { ...shipped, roles: { ...shipped.roles, owner_approval: ["operator"] } };
    expect(await contradiction(shippedText, other)).toContain("obeys another policy");
    const turned = Object.fromEntries(Object.entries(shipped).toReversed());
    expect(await contradiction(shippedText, turned)).toBeNull();
  });
});

describe("a proved policy", () => {
  it("is shown rule by rule, with how much was looked at", () => {
    const people = rosterOf("owner=1, operator=1");
    const text = proofText(prove(decidingPolicyOf(shipped)!, people), "policy.yaml", people);
    expect(text).toContain("met by 1 operator, 1 owner");
    expect(text).toMatch(/approvals\.T3 +6 +>=0\.9 +operator_approval, owner_approval, dry run/);
    expect(text).toMatch(
      /\d{5} points of 14 actions and some that no policy has: \d+ allowed, \d+ refused\./,
    );
    expect(text).toContain("Unknown actions fail closed");
  });
});
