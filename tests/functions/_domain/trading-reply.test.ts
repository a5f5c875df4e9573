import { describe, expect, it } from "vitest";
import {
  tradingAnnouncementText,
  tradingReplyText,
} from "../../../functions/_domain/trading-reply.ts";

describe("what is answered about trades", () => {
  it("is nothing for other replies", () => {
    expect(tradingReplyText({ reply: "help" })).toBeNull();
  });

  it("says unknown for what is missing or malformed, and never fails", () => {
    expect(tradingReplyText({ reply: "positions" })).toBe("There is no trading account yet.");
    expect(tradingReplyText({ reply: "pnl", accounts: "x" } as { reply: string }))
      .toBe("There is no trading account yet.");
    const accounts = [{
      account_id: "a\nb\u202e",
      equity: null,
      today: {},
      trades: 0,
      status: "active",
    }];
    expect(tradingReplyText({ reply: "pnl", accounts } as { reply: string })).toBe(
      "a b: unknown unknown\nSince 00:00 UTC: unknown (unknown %)\nBelow its peak: unknown %\nNo position was closed yet.",
    );
  });

  it("fits a phone however much is open", () => {
    const position = {
      symbol: "BTCUSDT",
      side: "long",
      quantity: "1",
      entry_price: "67000",
      price: "67100",
      price_at: "2027-05-01T10:00:00Z",
      stop_loss: "66000",
      take_profit: "69000",
      pnl: "100",
    };
    const account = {
      account_id: "paper-1",
      currency: "USDT",
      status: "active",
      in_flight: 2,
      max_positions: "3",
      positions: Array(40).fill(position),
    };
    const text = tradingReplyText(
      { reply: "positions", accounts: [account] } as { reply: string },
    )!;
    expect(text).toContain("paper-1: 40 open of 3, 2 under way");
    expect(text).toContain("BTCUSDT long 1 at 67000: +100 USDT");
    expect(text.split("\n").at(-1)).toBe("and 28 more");
    expect(text.length).toBeLessThan(4096);
  });
});

describe("news of an account", () => {
  it("is nobody else's, and guesses nothing that is missing", () => {
    expect(tradingAnnouncementText({ topic: "alert", subject: "account:paper-1" })).toBeNull();
    expect(tradingAnnouncementText({ topic: "account_limits" })).toContain("Account unknown");
  });

  it("says which limits changed, from what, by whom, and what to do", () => {
    const text = tradingAnnouncementText({
      topic: "account_limits",
      subject: "paper-1",
      value: "max_order_size 500, was 100",
      by: "cli:mallory",
    });
    expect(text).toContain("paper-1");
    expect(text).toContain("max_order_size 500, was 100");
    expect(text).toContain("cli:mallory");
    expect(text).toContain("accounts suspend paper-1");
  });

  it("says that an account was suspended or trades again, and why", () => {
    expect(
      tradingAnnouncementText({
        topic: "account_status",
        subject: "paper-1",
        value: "suspended",
        reason: "looked odd",
        by: "cli:olga",
      }),
    ).toBe("Account paper-1 is suspended, by cli:olga: looked odd");
  });
});
