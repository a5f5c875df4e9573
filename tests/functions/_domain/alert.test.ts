import { describe, expect, it } from "vitest";
import { type Alert, maxAlertBytes, parseAlert } from "../../../functions/_domain/alert.ts";

const read = (body: string | object): Alert => {
  const parsed = parseAlert(typeof body === "string" ? body : JSON.stringify(body));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.alert;
};
const refusal = (body: string): string => {
  const parsed = parseAlert(body);
  if (parsed.ok) throw new Error(`accepted as ${JSON.stringify(parsed.alert)}`);
  expect(parsed.code).toBe("unusable_alert");
  return parsed.reason;
};
const action = (fields: object) => {
  const { kind, side } = read({ symbol: "BTCUSDT", price: "100", ...fields });
  return `${kind} ${side ?? "?"}`;
};

describe("an alert that cannot be used says what to change", () => {
  it.each([
    ["", /empty/],
    [" \n\t", /empty/],
    ["[]", /list/],
    ['[{"symbol":"BTCUSDT","action":"buy"}]', /list/],
    ["null", /names no instrument/],
    ["42", /names no instrument/],
    ['"hello"', /names no instrument/],
    ["{}", /names no instrument/],
    ["Buy the dip", /names no instrument/],
    ["BUY THE DIP NOW", /names no instrument/],
    ["maybe BTCUSDT is a buy, who knows", /names no instrument/],
    ['{"symbol":"ВТСUSDT","action":"buy"}', /cannot be read/],
    ['{"symbol":"a b c","action":"buy"}', /cannot be read/],
    ['{"symbol":"{{ticker}}","action":"buy"}', /did not fill in the instrument/],
    ['{"symbol":{{ticker}},"action":"buy"}', /did not fill in the instrument/],
    ['{"symbol":"X","action":"{{strategy.order.action}}"}', /did not fill in the action/],
    ['{"symbol":"X","action":"moon"}', /"moon" is not known/],
    ['{"symbol":"X"}', /does not say what to do/],
    ['{"symbol":"X","event":"entry"}', /does not say what to do/],
    ['{"symbol":"X","action":"buy","side":"short","event":"entry"}', /opposite/],
    ['{"symbol":"X","action":"buy"', /ends before it is complete/],
    ['{"symbol":"X" "action":"buy"}', /comma is missing/],
    ['{"symbol":"X","action":"buy}', /never closed/],
    ['{"symbol":"X","action":"buy"} {"symbol":"Y"}', /something follows/],
    ['{"symbol":"X","action": buy it now}', /more than one way/],
    [`{"symbol":"X","a":${"[".repeat(40)}`, /nested too deeply/],
    [`{"symbol":"X",${'"a":1,'.repeat(2000)}"action":"buy"}`, /too many fields/],
    [`{"symbol":"X","note":"${"a".repeat(maxAlertBytes)}"}`, /longer than 16 KiB/],
  ])("%s", (body, reason) => {
    expect(refusal(body)).toMatch(reason);
  });
});

describe("an entry is told from an update", () => {
  it.each([
    [{ action: "buy" }, "entry long"],
    [{ action: "SELL" }, "entry short"],
    [{ side: "Long" }, "entry long"],
    [{ signal: "enter_short" }, "entry short"],
    [{ action: "buystop" }, "entry long"],
    [{ type: "buy", side: "long" }, "entry long"],
    [{ side: "sell", type: "stop_market" }, "entry short"],
    [{ order_action: "buy", market_position: "long", prev_market_position: "long" }, "entry long"],
    [{ action: "sell", market_position: "short", prev_market_position: "long" }, "entry short"],
    [{ market_position: "long", prev_market_position: "flat" }, "entry long"],
    [{ action: "buy", message: "exit all doubts, this is the one" }, "entry long"],
    [{ action: "buy", comment: "Strong sell" }, "entry long"],
    [{ action: "exit" }, "exit ?"],
    [{ action: "exit_long" }, "exit long"],
    [{ action: "sell", message: "exit" }, "exit long"],
    [{ action: "buy", message: "exit" }, "exit short"],
    [{ action: "buy to cover" }, "exit short"],
    [{ event: "SL hit", side: "long" }, "exit long"],
    [{ event: "stop_loss", market_position: "short" }, "exit short"],
    [{ action: "sell", positionSide: "LONG" }, "exit long"],
    [{ action: "buy", reduce_only: true }, "exit short"],
    [{ action: "sell", market_position: "long", prev_market_position: "long" }, "exit long"],
    [{ action: "close" }, "close ?"],
    [{ action: "closelong" }, "close long"],
    [{ action: "flat" }, "close ?"],
    [{ action: "close", side: "buy" }, "close ?"],
    [{ action: "sell", comment: "Close entry(s) order Long" }, "close long"],
    [{ action: "sell", market_position: "flat", prev_market_position: "long" }, "close long"],
    [{ action: "buy", market_position: "flat" }, "close short"],
    [{ strategy: { order_action: "sell", position_size: 0 } }, "close long"],
    [{ action: "sell", sentiment: "flat" }, "close long"],
    [{ action: "sell", sentiment: "bearish" }, "entry short"],
    [{ side: "buy", close_position: "True" }, "close short"],
    [{ side: "buy", close_position: "False" }, "entry long"],
    [{ signal_type: "tp1", market_position: "long" }, "take_profit long"],
    [{ action: "sell", order_id: "TP2" }, "take_profit long"],
    [{ event: "take profit hit", side: "short" }, "take_profit short"],
    [{ message: "RSI oversold" }, "notice ?"],
    [{ action: "cancel" }, "notice ?"],
    [{ action: "buy", strategy: "Take Profit" }, "entry long"],
  ])("%j is %s", (fields, expected) => {
    expect(action(fields)).toBe(expected);
  });

  it("reads the default strategy sentence in any language, and never takes contracts for a price", () => {
    const sentences = [
      ["My (1): order buy @ 2 filled on EURUSD. New strategy position is 2", "entry long"],
      ["My (1): order sell @ 2 filled on EURUSD. New strategy position is -2", "entry short"],
      ["My (1): order sell @ 1 filled on EURUSD. New strategy position is 1", "exit long"],
      [
        "My: orden buy @ 2 ejecutada en EURUSD. La nueva posición de la estrategia es 0",
        "close short",
      ],
      [
        "EURUSD에서 sell @ 2 주문이 체결됐습니다. 새로운 스트래티지 포지션은 -2입니다",
        "entry short",
      ],
    ];
    for (const [sentence, expected] of sentences) {
      const { kind, side, symbol, price } = read(sentence);
      expect([`${kind} ${side}`, symbol, price]).toEqual([expected, "EURUSD", null]);
    }
  });
});

describe("figures", () => {
  it.each([
    ["67000.50", "67000.5"],
    ["67,000.50", "67000.5"],
    ["$67000", "67000"],
    [1e-7, "0.0000001"],
    ["0.000000000000000001", "0.000000000000000001"],
    ["67,5", null],
    ["0", null],
    [-5, null],
    ["NaN", null],
    ["67000 USD", null],
    ["0x10", null],
    ["1e99", null],
    ["0.0000000000000000001", null],
    ["9".repeat(39), null],
    ["{{close}}", null],
    ["", null],
    [null, null],
    [true, null],
  ])("a price sent as %j is %j", (price, expected) => {
    expect(read({ symbol: "X", action: "buy", price }).price).toBe(expected);
  });

  it("keeps every digit of a number that a float would round", () => {
    expect(read('{"symbol":"X","action":"buy","price":12345678901234567.123456789}').price)
      .toBe("12345678901234567.123456789");
  });

  it("prefers the order's price to the bar's", () => {
    const alert = read({
      ticker: "X",
      bar: { close: 9 },
      strategy: { order: { action: "buy", price: 10 } },
    });
    expect(alert.price).toBe("10");
  });

  it("takes the levels of the side in question, targets in order, percentages apart", () => {
    const both = { "long SL": 9, "long TP": 12, "short SL": 11, "short TP": 8 };
    expect(read({ symbol: "X", action: "buy", ...both })).toMatchObject({
      stop_loss: "9",
      take_profits: ["12"],
    });
    expect(read({ symbol: "X", action: "sell", ...both })).toMatchObject({
      stop_loss: "11",
      take_profits: ["8"],
    });
    expect(read({ symbol: "X", action: "buy", tp10: 5, tp2: 3, tp1: 2, sl: "1%" }))
      .toMatchObject({ take_profits: ["2", "3", "5"], stop_loss: null, stop_loss_pct: "1" });
    expect(read({ symbol: "X", action: "buy", tp1: 2, tp1_pct: 50 }))
      .toMatchObject({ take_profits: ["2"], take_profit_pct: null, unknown_fields: ["tp1_pct"] });
  });

  it.each([
    [{ time: 1759054500 }, "2025-09-28T10:15:00.000Z"],
    [{ timestamp: "1759054500123" }, "2025-09-28T10:15:00.123Z"],
    [{ timenow: "2025-09-28T10:15:00Z", time: "2025-09-28T10:14:00Z" }, "2025-09-28T10:15:00.000Z"],
    [{ time: "2025-09-28 12:15:00+02:00" }, "2025-09-28T10:15:00.000Z"],
    [{ time: "2025-02-30T00:00:00Z" }, null],
    [{ time: 0 }, null],
    [{ time: "yesterday" }, null],
  ])("%j was sent at %s", (fields, expected) => {
    expect(read({ symbol: "X", action: "buy", ...fields }).alert_time).toBe(expected);
  });
});

describe("the alert's id", () => {
  it("is only what names this delivery", () => {
    const id = (fields: object) => read({ symbol: "X", action: "buy", ...fields }).alert_id;
    expect(id({ alert_id: "btc-1759054500" })).toBe("btc-1759054500");
    expect(id({ id: "X-2025-09-28T10:15:00Z" })).toBe("X-2025-09-28T10:15:00Z");
    expect(id({ idempotency_key: "k-1" })).toBe("k-1");
    expect(
      id({ order_id: "door", strategy: { order: { id: "door" } }, bot_id: 7, strategy_id: "s" }),
    ).toBeNull();
    expect(id({ id: "Long" })).toBeNull();
    expect(id({ id: "Exit Long" })).toBeNull();
    expect(id({ alert_id: "a".repeat(129) })).toBeNull();
  });
});

describe("what was not quite JSON", () => {
  it.each([
    ['{"symbol":"X","action":"buy","price":NaN}', true],
    ['{"symbol":"X","action":"buy","price":-Infinity}', true],
    ['{"symbol":"X","action":"buy","note":"NaN, Infinity // none"}', false],
    ['{"symbol":"X","action":"buy",} // done', true],
    ['{"symbol":"X","action":"buy" /* now */}', true],
    ["{'symbol':'X','action':'buy'}", true],
    ["{symbol:X,action:buy,flag:True,none:None}", true],
    ['{"symbol":"X","action":"buy","note":"two\nlines"}', true],
    ['\ufeff{"symbol":"X","action":"buy"}\r\n', false],
    ['{"symbol":"X","action":"buy"}=', false],
    ["%7B%22symbol%22%3A%22X%22%2C%22action%22%3A%22buy%22%7D=", false],
    ['"{\\"symbol\\":\\"X\\",\\"action\\":\\"buy\\"}"', false],
  ])("%j is read, and repaired: %s", (body, repaired) => {
    expect(read(body)).toMatchObject({
      kind: "entry",
      side: "long",
      symbol: "X",
      price: null,
      repaired,
    });
  });

  it("takes prototype names for names", () => {
    const alert = read(
      '{"__proto__":{"action":"sell"},"constructor":"x","symbol":"X","action":"buy"}',
    );
    expect(alert.side).toBe("long");
    expect(alert.unknown_fields).toEqual(["__proto__.action", "constructor"]);
    expect(({} as Record<string, unknown>).action).toBeUndefined();
  });

  it("lets no NUL, control character or half a character through", () => {
    const parsed = parseAlert(
      '{"symbol":"X","action":"buy","note":"a\\u0000b\u0000c\ud800d\\ud800e\\u0007f"}',
    );
    expect(parsed).toMatchObject({ ok: true, alert: { side: "long" } });
    expect(JSON.stringify(parsed)).not.toMatch(/\\u0000|\\ud800/);
    expect((parsed as { alert: Alert }).alert.note).toMatch(/^abc.d.e f$/u);
  });
});
