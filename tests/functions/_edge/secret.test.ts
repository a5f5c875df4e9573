import { describe, expect, it } from "vitest";
import { bearerToken, sameSecret, whoseToken } from "../../../functions/_edge/secret.ts";

describe("sameSecret", () => {
  it("refuses a prefix, a suffix, another case and another length", async () => {
    for (const presented of ["secre", "ecret", "Secret", "secret ", "secrets", "x".repeat(5000)]) {
      expect(await sameSecret(presented, "secret")).toBe(false);
    }
  });

  it("refuses nothing presented to nothing kept, for an unset secret opens no door", async () => {
    expect(await sameSecret("", "")).toBe(false);
  });

  it("accepts the same secret, beyond ASCII too", async () => {
    expect(await sameSecret("gehe1m-ünïcode", "gehe1m-ünïcode")).toBe(true);
  });
});

describe("whoseToken", () => {
  const kept = [{ name: "a", token: "alpha" }, { name: "b", token: "beta" }];

  it("knows no stranger", async () => {
    expect(await whoseToken("gamma", kept)).toBeNull();
    expect(await whoseToken("", kept)).toBeNull();
    expect(await whoseToken("alpha", [])).toBeNull();
  });

  it("names the source whose token it is", async () => {
    expect((await whoseToken("beta", kept))?.name).toBe("b");
  });
});

describe("bearerToken", () => {
  const presenting = (authorization?: string) =>
    bearerToken(new Request("http://x", { headers: authorization ? { authorization } : {} }));

  it("is empty for another scheme, for two words and for no header", () => {
    expect(presenting("Basic abc")).toBe("");
    expect(presenting("Bearer a b")).toBe("");
    expect(presenting()).toBe("");
  });

  it("reads the scheme in any case", () => {
    expect(presenting("bearer abc.def")).toBe("abc.def");
  });
});
