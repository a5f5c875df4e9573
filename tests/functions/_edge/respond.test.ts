import { describe, expect, it } from "vitest";
import { refusalOf, refuse, respond } from "../../../functions/_edge/respond.ts";

describe("refuse", () => {
  it("answers with the status and meaning of the closed list", async () => {
    const response = refuse("unusable_alert", { reason: "no symbol" });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ error: "unusable_alert", reason: "no symbol" });
    expect(refusalOf(response)).toBe("unusable_alert");
  });

  it("always says on a 429 when to come back, in whole seconds and never zero", () => {
    expect(refuse("rate_limited", { retry_after: 2.2 }).headers.get("retry-after")).toBe("3");
    expect(refuse("rate_limited", { retry_after: 0 }).headers.get("retry-after")).toBe("1");
    expect(refuse("rate_limited").headers.get("retry-after")).toBe("1");
    expect(refuse("unauthorized").headers.get("retry-after")).toBeNull();
  });

  it("never answers as a page, and is not kept by a cache", () => {
    for (const response of [refuse("not_found"), respond({})]) {
      expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
  });
});
