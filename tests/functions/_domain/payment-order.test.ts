import { describe, expect, it } from "vitest";
import { paidOrder, transferLink } from "../../../functions/_domain/payment-order.ts";
import { paid } from "../_agents/access-scene.ts";

describe("an order's amounts", () => {
  it("are all in the wallet's link, so that nobody types them", () => {
    const order = { order_id: "a".repeat(26), price_nano: "10000000000" };
    expect(transferLink("0:5a", order)).toBe(
      `ton://transfer/0:5a?amount=10000000000&text=${"a".repeat(26)}`,
    );
  });

  it("are not read where one is a number or a word", () => {
    expect(paidOrder.safeParse(paid).success).toBe(true);
    for (
      const change of [{ amount: 10.5 }, { amount: "much" }, { currency: "USD" }, { days: "0" }, {
        order_id: "x",
      }]
    ) {
      expect(paidOrder.safeParse({ ...paid, ...change }).success).toBe(false);
    }
  });
});
