import { type Field, type Fields, isPlaceholder, readNumber, usable } from "./alert-field.ts";
import { type Reading, readWords, type Verb } from "./alert-word.ts";

export type AlertKind = "entry" | "exit" | "take_profit" | "close" | "notice";
export type Side = "long" | "short";
export type Action = { kind: AlertKind; side: Side | null } | { problem: string };

const commands = [
  "action",
  "orderaction",
  "signal",
  "signaltype",
  "order",
  "cmd",
  "command",
  "operation",
  "op",
  "tradeaction",
  "tradetype",
  "transactiontype",
  "type",
  "ordertype",
  "alerttype",
  "event",
  "eventtype",
  "direction",
  "side",
  "orderside",
  "tradeside",
  "positionside",
  "trade",
  "intent",
] as const;
// Free text: it says something only if all of it is words of trading, and never against a command.
const hints = [
  "message",
  "alertmessage",
  "orderalertmessage",
  "comment",
  "ordercomment",
  "orderid",
  "orderdescription",
  "reason",
  "text",
  "note",
  "alert",
  "description",
  "msg",
] as const;
const sides = new Set(["side", "orderside", "tradeside", "direction", "positionside"]);
// What the position is afterwards; `sentiment` is the same in other words.
const positions = ["marketposition", "positionstate", "sentiment"] as const;
const previous = ["prevmarketposition", "previousmarketposition", "prevposition"] as const;

interface Said extends Reading {
  field: Field;
}

/** What the alert asks for. An update always wins over an entry: taking an exit for an entry opens a position. */
export function readAction(fields: Fields): Action {
  const asked = fields.every(commands);
  const said = readings(asked);
  const hinted = readings(fields.every(hints)).filter((hint) => !contradicts(hint, said));
  const market = position(fields.first(positions));
  const before = position(fields.first(previous));
  const closing = isTrue(
    fields.first(["closeposition", "closeall", "closetrade", "isclose", "isexit"]),
  );
  const reducing = isTrue(fields.first(["reduceonly", "isreduceonly"]));
  const left = fields.first(["positionsize", "marketpositionsize"]);
  const flat = left !== null && readNumber(left) === "0";

  const order = one([...said, ...hinted].map((reading) => reading.order));
  const side = one([...said, ...hinted].map((reading) => reading.side));
  if (order === "both" || side === "both") return { problem: contradiction };
  const verbs = new Set([...said, ...hinted].map((reading) => reading.verb));
  const inverted = order === "sell" ? "long" : order === "buy" ? "short" : null;
  const direct = order === "buy" ? "long" : order === "sell" ? "short" : null;

  const update = updateKind(verbs, closing);
  const updateSide = () =>
    side ?? (market === "flat" || market === null ? held(before) : market) ??
      (orderIsAmbiguous(said, update !== null) ? null : inverted);
  if (update !== null) return { kind: update, side: updateSide() };
  if (
    market === "flat" &&
    (order !== null || side !== null || held(before) !== null || before === null)
  ) {
    return { kind: "close", side: updateSide() };
  }
  if (order !== null && market !== null && market !== direct) {
    return { kind: "exit", side: held(market) };
  }
  if (order !== null && side !== null && side !== direct) {
    return verbs.has("entry") ? { problem: contradiction } : { kind: "exit", side };
  }
  if (reducing) return { kind: "exit", side: updateSide() };
  if (verbs.has("notice")) return { kind: "notice", side: side ?? held(market) };
  const entry = direct ?? side;
  if (entry !== null && market !== null && market !== entry) return { problem: contradiction };
  if (entry !== null && flat) return { kind: "close", side: inverted ?? side };
  if (entry !== null) return { kind: "entry", side: entry };
  return opened(market, before) ?? unsaid(fields, asked, verbs);
}

const contradiction =
  "The alert names two opposite directions; send one action and one side that agree.";

// How an order is placed, not what it is for: `"type": "stop"` beside `"side": "buy"`.
const orderType = /^(market|limit|stop|trailing)[ _-]?(limit|market|stop)?$/i;

const readings = (fields: Field[]): Said[] =>
  fields.flatMap((field) => {
    const placed = /type$/.test(field.name) && orderType.test(field.value);
    const reading = usable(field.value) && !placed ? readWords(field.value) : null;
    return reading === null ? [] : [{ ...reading, field }];
  });

/** A hint against a command is prose that happens to use the same words; but `exit` beside `sell` explains it. */
const contradicts = (hint: Said, said: Said[]): boolean =>
  hint.verb === "notice" && said.length > 0 ||
  said.some((other) =>
    (hint.order !== null && other.order !== null && hint.order !== other.order) ||
    (hint.side !== null && other.side !== null && hint.side !== other.side) ||
    (hint.verb === null && hint.side !== null && other.order !== null)
  );

function one<T extends string>(values: (T | null)[]): T | null | "both" {
  const found = new Set(values.filter((value) => value !== null));
  return found.size > 1 ? "both" : [...found][0] ?? null;
}

function updateKind(verbs: Set<Verb | null>, closing: boolean): AlertKind | null {
  if (closing) return "close";
  for (const verb of ["take_profit", "close", "exit"] as const) if (verbs.has(verb)) return verb;
  return null;
}

/** `action: close, side: buy`: the order that closes, or the position that is closed? Nobody can tell. */
const orderIsAmbiguous = (said: Said[], update: boolean): boolean =>
  update && said.some(({ order, field }) => order !== null && sides.has(field.name)) &&
  said.some(({ verb, order, field }) => verb !== null && order === null && !sides.has(field.name));

const position = (text: string | null): Side | "flat" | null => {
  const word = text?.toLowerCase() ?? "";
  if (word === "flat") return "flat";
  return word === "long" || word === "bullish"
    ? "long"
    : word === "short" || word === "bearish"
    ? "short"
    : null;
};
const held = (value: Side | "flat" | null): Side | null => value === "flat" ? null : value;
const isTrue = (text: string | null): boolean => /^(true|yes|1|on)$/i.test(text ?? "");

function opened(market: Side | "flat" | null, before: Side | "flat" | null): Action | null {
  if (market === "flat") return { kind: "close", side: held(before) };
  return market === null || market === before ? null : { kind: "entry", side: market };
}

/** No action that can be read: a message alone is a notice; anything else cannot be used. */
function unsaid(fields: Fields, asked: Field[], verbs: Set<Verb | null>): Action {
  const literal = asked.find(({ value }) => isPlaceholder(value));
  if (literal) {
    return {
      problem: `TradingView did not fill in the action (${short(literal.value)}); ` +
        "strategy placeholders work in strategy alerts only, so write buy or sell in an indicator alert.",
    };
  }
  const spoken = fields.every(hints).some(({ value }) => usable(value) && value.length > 1);
  const foreign = asked.find(({ name, value }) =>
    usable(value) && readWords(value) === null && (!spoken || /action$|^side$/.test(name)) &&
    !orderType.test(value)
  );
  if (foreign) {
    return {
      problem: `The action "${short(foreign.value)}" is not known; ` +
        "use buy, sell, long, short, exit, close or tp1.",
    };
  }
  return spoken && !verbs.has("entry") ? { kind: "notice", side: null } : {
    problem:
      "The alert does not say what to do; add an action such as buy, sell, exit, close or tp1.",
  };
}

const short = (value: string): string => [...value].slice(0, 48).join("");
