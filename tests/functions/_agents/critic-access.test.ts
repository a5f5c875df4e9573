import { describe, expect, it } from "vitest";
import { accessBreaches } from "../../../functions/_agents/critic-access.ts";
import { access, grant, paid } from "./access-scene.ts";

const breaches = (change: Record<string, string> = {}, payload: Record<string, unknown> = {}) =>
  accessBreaches(
    { grant: { ...grant, ...change } },
    access({ payload: { ...paid, ...payload } as typeof paid }).subject,
  );

describe("the critic of a granted access", () => {
  it("finds a proposal that no paid order stands behind", () => {
    expect(accessBreaches({}, access().subject)).toHaveLength(1);
    expect(breaches({}, { tx_hash: "none" })).toHaveLength(1);
  });

  it.each([
    ["another account", { telegram_user_id: "999999" }],
    ["another order", { order_id: "b".repeat(26) }],
    ["another plan", { plan: "gold" }],
    ["more days", { days: "300" }],
    ["a longer invitation", { join_minutes: "99999" }],
  ])("finds a grant for %s", (_, change) => expect(breaches(change)).not.toEqual([]));

  it("finds a plan that the policy does not sell, or sells for other days, and too little money", () => {
    expect(breaches({ plan: "gold" }, { plan: "gold" })).toHaveLength(1);
    expect(breaches({ plan: "constructor" }, { plan: "constructor" })).toHaveLength(1);
    expect(breaches({ days: "300" }, { days: "300" })).toHaveLength(1);
    expect(breaches({}, { amount: "9.999999999" })).toHaveLength(1);
  });

  it("lets the grant of a paid order pass, at the very price too", () => {
    expect(breaches()).toEqual([]);
    expect(breaches({}, { amount: "10" })).toEqual([]);
  });
});
