import { describe, expect, it } from "vitest";
import { paidOrder, transferLink } from "../../../functions/_domain/payment-order.ts";

describe("an order's amounts", () => {
  it("are all in the wallet's link, so that nobody types them", () => {
    const order = { order_id: "a".repeat(26), price_nano: "10000000000" };
    expect(transferLink("0:5a", order)).toBe(
      `ton://transfer/0:5a?amount=10000000000&text=${"a".repeat(26)}`,
    );
  });

  it("are not read where one is a number or a word", () => {
    const paid = {
      account_id: "telegram:1",
      telegram_user_id: "1",
      order_id: "a".repeat(26),
      plan: "vip-30",
      days: "30",
      price: "10",
      amount: "10.5",
      currency: "TON",
      amount_nano: "10500000000",
      tx_hash: "9d".repeat(32),
      lt: "52000000000003",
      paid_at: "2026-11-21T10:00:00.000Z",
    };
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
