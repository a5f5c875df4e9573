import { type AlertKind, readAction, type Side } from "./alert-action.ts";
import { type Fields, isPlaceholder, readTime, usable } from "./alert-field.ts";
import { readLevels, readPriceOf, readSize } from "./alert-level.ts";
import { readExchange, readSymbol, readWords } from "./alert-word.ts";
import { mask } from "./mask.ts";

/** What an alert says, in one shape. A figure is what was sent or null; nothing is worked out here. */
export interface Alert {
  /** Only `entry` opens a position; exit, close and take_profit are updates, a notice asks for nothing. */
  kind: AlertKind;
  symbol: string;
  exchange: string | null;
  /** The side that an entry opens or that an update is about. */
  side: Side | null;
  price: string | null;
  stop_loss: string | null;
  take_profits: string[];
  stop_loss_pct: string | null;
  take_profit_pct: string | null;
  size: string | null;
  timeframe: string | null;
  strategy: string | null;
  note: string | null;
  alert_id: string | null;
  /** UTC, ISO. */
  alert_time: string | null;
  /** The text was not the JSON it wanted to be, and was read nevertheless. */
  repaired: boolean;
  unknown_fields: string[];
}

/** Where free text may stand, and a whole alert in it. */
export const texts = [
  "text",
  "message",
  "content",
  "alert",
  "alertmessage",
  "msg",
  "body",
  "description",
] as const;
export const symbolNames = [
  "symbol",
  "ticker",
  "asset",
  "pair",
  "instrument",
  "tvinstrument",
  "market",
  "tickerid",
  "syminfoticker",
  "coin",
  "contract",
  "currencypair",
  "tradingpair",
  "sym",
  "marketsymbol",
  "strategyticker",
  "strategysymbol",
  "ordersymbol",
] as const;

export const nothingNamed =
  'The alert names no instrument; add a field such as "symbol": "{{ticker}}", or write BUY {{ticker}}.';

/** The alert that the fields make, or why they make none. */
export function readAlert(fields: Fields, repaired: boolean): Alert | { problem: string } {
  const named = fields.every(symbolNames).filter(({ value }) => value !== "");
  const name = named.find(({ value }) => usable(value))?.value;
  if (name === undefined) {
    const literal = named.find(({ value }) => isPlaceholder(value))?.value;
    return {
      problem: literal === undefined
        ? nothingNamed
        : `TradingView did not fill in the instrument (${
          [...literal].slice(0, 48).join("")
        }); check the placeholder's spelling.`,
    };
  }
  const symbol = readSymbol(name);
  if (symbol === null) {
    return {
      problem: "The instrument's name cannot be read; use the exchange's own, such as BTCUSDT.",
    };
  }
  const action = readAction(fields);
  if ("problem" in action) return action;
  const { kind, side } = action;
  const exchange = fields.first(["exchange", "tvexchange", "venue", "broker", "syminfoprefix"]);
  const price = readPriceOf(fields, kind);
  return {
    kind,
    symbol: symbol.symbol,
    exchange: symbol.exchange ?? (exchange === null ? null : readExchange(exchange)),
    side,
    price,
    ...readLevels(fields, side),
    size: readSize(fields),
    timeframe: timeframe(fields),
    strategy: prose(
      fields.first([
        "strategyname",
        "strategy",
        "strategyid",
        "strategytitle",
        "setup",
        "indicator",
        "indicatorname",
        "alertname",
        "name",
        "system",
      ]),
      64,
    ),
    note: prose(
      fields.first([...texts, "comment", "note", "ordercomment", "orderalertmessage", "reason"]),
      500,
    ),
    alert_id: alertId(fields),
    alert_time: time(fields),
    repaired,
    unknown_fields: fields.unknown().map((path) => prose(path, 64) ?? "unnamed"),
  };
}

function timeframe(fields: Fields): string | null {
  const text = fields.first(["timeframe", "interval", "tf", "resolution", "period"]);
  return text !== null && /^(?=.)\d{0,5}[A-Za-z]{0,7}$/.test(text) ? text : null;
}

/**
 * Only what names this one delivery. An order's, a bot's, a strategy's or a position's id comes with every alert of it,
 * and a bare `id` that reads `Long` or `Exit` is the name that a script gave to its order.
 */
function alertId(fields: Fields): string | null {
  const id =
    fields.first(["alertid", "signalid", "eventid", "messageid", "deliveryid", "idempotencykey"]) ??
      fields.every(["id"]).map(({ value }) => value).find((value) =>
        usable(value) && readWords(value) === null
      );
  const text = id === undefined || id === null ? "" : prose(id, 129) ?? "";
  return text === "" || text.length > 128 ? null : text;
}

function time(fields: Fields): string | null {
  const names = [
    "timenow",
    "alerttime",
    "firedat",
    "signalts",
    "signaltime",
    "timestamp",
    "ts",
    "time",
    "datetime",
    "ordertime",
    "bartime",
    "barts",
    "candletime",
  ];
  return names.map((name) => fields.first([name])).map((text) =>
    text === null ? null : readTime(text)
  )
    .find((found) => found !== null) ?? null;
}

/** Free text for people: one line, no control or direction characters, nobody's data. */
function prose(text: string | null, limit: number): string | null {
  if (text === null) return null;
  const line = mask(text).replace(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return line === "" ? null : [...line].slice(0, limit).join("").trim();
}
