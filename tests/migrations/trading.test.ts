import { describe, expect, it } from "vitest";
import * as line from "../support/line.ts";
import * as trading from "../support/trading.ts";
import { clock, db, id } from "./trading-desk.ts";

const statusOf = (taskId: string) => line.statusOf(db, taskId);

describe("a trade on its way", () => {
  it("that cannot be proposed, rehearsed or judged well never reaches a person", async () => {
    const risky = await trading.toGate(db, trading.wanted(id, { take_profit: "101" }));
    expect(await statusOf(risky)).toBe("rejected");
    const large = await trading.toGate(db, trading.wanted(id, { quantity: "300" }));
    expect(await statusOf(large)).toBe("rejected");
    const [{ flags }] = await db.owner<{ flags: string[] }>(
      "select red_flags as flags from public.evaluations where task_id = $1",
      [large],
    );
    expect(flags.join()).toMatch(/policy: limit_exceeded: max_daily_loss_pct/);
    expect(await line.openCode(db, large)).toBeUndefined();
  });

  it("is held while T3 is off, and starts nothing by one person's yes", async () => {
    await db.owner(
      "update public.feature_flags set enabled = false where key = 't3_execution_enabled'",
    );
    const taskId = await trading.toGate(db, trading.wanted(id));
    const code = await line.openCode(db, taskId);
    await line.decide(db, "1001", code);
    expect(await statusOf(taskId)).toBe("awaiting_approval");
    await line.decide(db, "1002", code);
    expect(await statusOf(taskId)).toBe("pending_exec");
    expect(await line.claim(db, ["exec"])).toEqual([]);
    await trading.switchOn(db);
  });

  it("shows its rehearsal to whoever decides", async () => {
    const taskId = await trading.toGate(db, trading.wanted(id));
    const [{ card }] = await db.owner<{ card: { dry_run: string } }>(
      `select payload_json as card from public.notifications
       where task_id = $1 and kind = 'approval_card' limit 1`,
      [taskId],
    );
    expect(JSON.parse(card.dry_run).lines).toEqual([
      `Open: buy 1 BTCUSDT on ${id} (paper)`,
      `Would fill at 100.05, fee 0.10005 USDT; binance said 100 at ${await trading.moment(db)}`,
      "Stop 98: at worst 2.297001 USDT lost (0.0229 % of the day's equity)",
      "Target 104: 3.74595 USDT; reward/risk 2",
      "within max_positions: 1 of 3",
      "within max_daily_loss_pct: 0.02297 of 5",
      "within max_drawdown_pct: 0 of 10",
      "Dry run: pass",
    ]);
  });

  it("is rehearsed, approved by two, filled and archived; its result comes later", async () => {
    const taskId = await trading.filled(db, trading.wanted(id));
    const [effect] = await db.owner<{ kind: string; channel: string; receipt: object }>(
      "select kind, channel, receipt_json as receipt from public.effects where task_id = $1",
      [taskId],
    );
    expect(effect).toMatchObject({
      kind: "trade",
      channel: "paper",
      receipt: { status: "filled", price: "100.05", quote: { source: "binance", price: "100" } },
    });
    const [step] = (await line.claim(db, ["orchestrator"])).filter(({ task_id }) =>
      task_id === taskId
    );
    expect(await line.archive(db, step)).toMatchObject({ status: "archived" });
    await clock.advance(1);
    await trading.quote(db, "104");
    const results = await db.owner(
      "select 1 from public.trade_results where task_id = $1 and pnl > 0",
      [taskId],
    );
    expect(results).toHaveLength(1);
  });

  it("leaves an audit row for everything it wrote", async () => {
    const taskId = await trading.filled(db, trading.wanted(id));
    const rows = await db.owner<{ kind: string }>(
      `select distinct split_part(object, ':', 1) as kind from public.audit_logs a
       where a.object in (select 'trade_order:' || order_id from public.orders where task_id = $1)
         or a.object in (select 'fill:' || f.fill_id from public.fills f join public.orders o using (order_id) where o.task_id = $1)
         or a.object = 'account:' || $2 order by 1`,
      [taskId, id],
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["account", "fill", "trade_order"]);
  });
});
