import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Alert, maxAlertBytes, parseAlert } from "../../../functions/_domain/alert.ts";

const price = /^(0|[1-9]\d*)(\.\d+)?$/;

function holds(body: string): void {
  const parsed = parseAlert(body);
  expect(JSON.stringify(parsed)).not.toMatch(/\\u0000|\\ud[89a-f]/);
  if (!parsed.ok) {
    expect(parsed.reason).toMatch(/^[A-Z].{10,300}\.$/s);
    return;
  }
  const alert: Alert = parsed.alert;
  expect(alert.symbol).toMatch(/^[A-Z0-9][A-Z0-9._!/&^=-]{0,31}$/);
  if (alert.kind === "entry") expect(alert.side).not.toBeNull();
  const figures = [
    alert.price,
    alert.stop_loss,
    alert.size,
    alert.stop_loss_pct,
    alert.take_profit_pct,
  ];
  for (const value of [...figures, ...alert.take_profits]) {
    if (value !== null) expect(value).toMatch(price);
  }
}

const fragment = fc.constantFrom(
  "{",
  "}",
  "[",
  "]",
  '"',
  "'",
  ":",
  ",",
  "=",
  ";",
  "|",
  "\n",
  "\\",
  "//",
  "/*",
  "{{",
  "}}",
  "{{close}}",
  "buy",
  "SELL",
  "exit",
  "BTCUSDT",
  "BINANCE:",
  "symbol",
  "action",
  "price",
  "sl",
  "tp1",
  "secret",
  "NaN",
  "null",
  "67000",
  "1e400",
  "-0",
  "@",
  " ",
  "“",
  "”",
  "\u0000",
  "\ud800",
  "\u202e",
  "%7B",
  "%",
  "key: ",
  "+1 555",
  "filled on",
  "position is 1.",
);
const known = fc.constantFrom(
  "symbol",
  "ticker",
  "action",
  "side",
  "price",
  "close",
  "sl",
  "tp",
  "strategy",
  "order",
  "bar",
  "id",
  "time",
  "message",
  "__proto__",
  "secret",
);

describe("whatever is sent", () => {
  it("is answered: any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), holds), { numRuns: 1000 });
  });

  it("is answered: pieces of alerts in any order", () => {
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 60 }), (parts) => holds(parts.join(""))),
      { numRuns: 3000 },
    );
  });

  it("is answered: any JSON, under names that mean something", () => {
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 6 },
        fragment,
        fc.double(),
        fc.bigInt().map(String),
        fc.constant(null),
        fc.array(tie("node"), { maxLength: 4 }),
        fc.dictionary(known, tie("node"), { maxKeys: 6 }),
      ),
    })).node;
    fc.assert(fc.property(value, (node) => holds(JSON.stringify(node) ?? "")), { numRuns: 2000 });
  });

  it("is answered soon: no text of 16 KiB takes a second", () => {
    const pieces = [
      "{",
      "[",
      '{"a":',
      '"',
      "'",
      " ",
      "\n",
      "=",
      "a=",
      "a:b ",
      ",",
      ", ",
      ". ",
      "a,",
      "1,",
      "secret",
      "secret:",
      '"key":"',
      "buy ",
      "BUY X ",
      "A",
      "0",
      "9 ",
      "+1 ",
      "(555) ",
      "@",
      "a@",
      "a@b.",
      "//",
      "/*",
      "{{",
      "{{a",
      "\\",
      "\\n",
      "%7B",
      "a.",
      "order buy @ 1 ",
      "word ",
      "seed word ",
      "4111 ",
      "DE00 ",
      "eyJ",
      "-",
      "x: y, ",
      "{'a':'",
      "&a=b",
      "|",
      "sk-a",
      "a://b:",
      "Bearer ",
      "-----BEGIN PRIVATE KEY-----",
      "long",
      "exit",
      "tp1",
      "( ",
    ];
    for (const piece of pieces) {
      for (const head of ["", "{", "BUY X @ 1 ", "symbol=X;action=buy;"]) {
        // A last character that fits nothing makes a careless pattern try again from every place.
        for (const last of ["", "x"]) {
          const body = (head + piece.repeat(maxAlertBytes)).slice(0, maxAlertBytes - 1) + last;
          const start = performance.now();
          parseAlert(body);
          expect(performance.now() - start, JSON.stringify(head + piece + last)).toBeLessThan(1000);
        }
      }
    }
  }, 60_000);
});
