import { describe, expect, it } from "vitest";
import {
  decisionText,
  preparedDecision,
  signedDecision,
} from "../../../functions/_domain/signed-decision.ts";
import { canonicalize } from "../../support/canonical.ts";

const fields = {
  code: "T3-20250928-0012",
  decision: "approve" as const,
  person: "6f1c9a52-0d5e-4f0c-9d33-2b8f6f3f1a01",
  role: "owner",
  digest: "ab".repeat(32),
  signed_at: "2025-09-28T14:00:00.000Z",
};

describe("a signed decision", () => {
  it("is none with a field more, a field less, another word or a time without its zone", () => {
    const whole = { ...fields, signature: "c2ln", key_id: "0".repeat(16) };
    expect(signedDecision.safeParse(whole).success).toBe(true);
    expect(signedDecision.safeParse({ ...whole, tier: "T3" }).success).toBe(false);
    expect(signedDecision.safeParse({ ...whole, key_id: undefined }).success).toBe(false);
    expect(signedDecision.safeParse({ ...whole, decision: "yes" }).success).toBe(false);
    expect(signedDecision.safeParse({ ...whole, signed_at: "2025-09-28T14:00:00" }).success)
      .toBe(false);
  });

  it("covers one text, whatever the order of its fields and whatever else is there", () => {
    const turned = Object.fromEntries(Object.entries(fields).reverse()) as typeof fields;
    expect(decisionText({ ...turned, signature: "x" } as typeof fields)).toBe(decisionText(fields));
    expect(decisionText(fields)).toBe(canonicalize(fields));
  });

  it("is prepared from what the database says, and from nothing half said", () => {
    const nothing = { subject: null, second_factor: null, required: false, signing_keys: [] };
    expect(preparedDecision.parse(nothing)).toEqual(nothing);
    expect(preparedDecision.safeParse({ subject: null }).success).toBe(false);
    expect(preparedDecision.safeParse({ refused: "not_found" }).success).toBe(false);
  });
});
