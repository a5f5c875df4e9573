import { describe, expect, it } from "vitest";
import { loadBundledPolicy, readEmbedded } from "../../../functions/_policy/bundled-policy.ts";
import { policySha256, policyText } from "../../../functions/_policy/policy.generated.ts";
import { reasonOf, shippedText } from "./shipped-policy.ts";

describe("the bundled policy", () => {
  it("is refused when its text is not the text that was hashed", async () => {
    const result = await readEmbedded(policyText.replace(">=0.9", ">=0.1"), policySha256);
    expect(reasonOf(result)).toMatch(/^policy_invalid: .*npm run generate/);
  });

  it("is refused when there is none, and nothing stands in for it", async () => {
    expect(await readEmbedded("", policySha256)).toMatchObject({
      ok: false,
      code: "policy_invalid",
    });
  });

  it("is the file, byte for byte", async () => {
    expect(policyText).toBe(shippedText);
    expect(await loadBundledPolicy()).toMatchObject({ ok: true, sha256: policySha256 });
  });

  it("is read once", async () => {
    expect(await loadBundledPolicy()).toBe(await loadBundledPolicy());
  });
});
