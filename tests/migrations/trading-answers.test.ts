import { describe, expect, it } from "vitest";
import { tradingReplyText } from "../../functions/_domain/trading-reply.ts";
import * as line from "../support/line.ts";
import * as trading from "../support/trading.ts";
import { clock, db, id } from "./trading-desk.ts";

const ask = (intent: Record<string, unknown>, from = "1001"): Promise<line.Answer> =>
  line.handle(db, line.update(from, intent));

describe("what a member asks about trades", () => {
  it("is answered to members alone", async () => {
    expect(await ask({ type: "positions", account: null }, "4711")).toMatchObject({
      refused: "not_a_member",
    });
    expect(await ask({ type: "pnl", account: "nobody" })).toMatchObject({
      reply: "refused",
      refused: "unknown_account",
    });
    expect(await ask({ type: "positions", account: "nobody" })).toMatchObject({
      refused: "unknown_account",
    });
  });

  it("shows what is open, at the price of now", async () => {
    await trading.filled(db, trading.wanted(id));
    await clock.advance(1);
    await trading.quote(db, "101");
    const answer = await ask({ type: "positions", account: id.toUpperCase() });
    expect(tradingReplyText(answer as { reply: string })).toBe(
      `${id}: 1 open of 3\n` +
        "BTCUSDT long 1 at 100.05: +0.95 USDT\n" +
        `  now 101 (${
          (await trading.moment(db)).slice(0, 19).replace("T", " ")
        } UTC), stop 98, target 104`,
    );
  });

  it("shows what it brought", async () => {
    const before = await ask({ type: "pnl", account: id });
    expect(tradingReplyText(before as { reply: string })).toBe(
      `${id}: 10000 USDT\nSince 00:00 UTC: 0 (0 %)\nBelow its peak: 0 %\nNo position was closed yet.`,
    );
    await trading.filled(db, trading.wanted(id));
    await clock.advance(1);
    await trading.quote(db, "98");
    await trading.setStatus(db, id, "suspended");
    const after = await ask({ type: "pnl", account: id });
    expect(tradingReplyText(after as { reply: string })).toBe(
      `${id} (suspended): 9997.702999 USDT\nSince 00:00 UTC: -2.297001 (-0.02 %)\nBelow its peak: 0.02 %\n` +
        "Closed: 1, of them won: 0, together -2.297001 USDT",
    );
  });

  it("covers every account where none is named", async () => {
    const answer = await ask({ type: "positions", account: null });
    expect((answer.accounts as unknown[]).length).toBeGreaterThan(1);
  });
});
