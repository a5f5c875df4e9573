import { readNumber } from "./alert-field.ts";
import type { Field } from "./alert-field.ts";
import { isSymbol, isTradingWord, readSymbol } from "./alert-word.ts";

/**
 * The text of a strategy alert that nobody edited, in whatever language TradingView spoke:
 * `Name (1, 2): order buy @ 3 filled on EURUSD. New strategy position is 3`.
 * The number behind the @ is contracts, not a price; only where a second amount follows it (`@ 100 for 3`) is it one.
 */
export function strategySentence(text: string): Field[] | null {
  const order = /(?:^|[^A-Za-z])(buy|sell) @ (\d[\d.,]{0,30})(?: for (\d[\d.,]{0,30}))?/i.exec(
    text,
  );
  if (!order || /\b(sl|tp\d?|stop ?loss|take ?profit)\b\s*[:=@]?\s*\d/i.test(text)) return null;
  const at = order.index + order[0].length;
  const tail = text.slice(at);
  const stop = tail.search(/[.。।]\s|。|[.]$/);
  // The position closes the sentence: its last number.
  const position = stop < 0
    ? null
    : /(-?\d[\d.,]{0,30})[^\d]{0,40}$/.exec(tail.slice(stop + 1).slice(-120).replaceAll("−", "-"));
  if (!position || stop < 0) return null;
  const head = text.slice(0, order.index + 1);
  const colon = head.lastIndexOf(": ");
  const symbol = symbolIn(tail.slice(0, stop)) ?? symbolIn(head.slice(colon + 1));
  const left = readNumber(position[1].replace(/[.,]$/, ""));
  const size = readNumber((order[3] ?? order[2]).replace(/[.,]$/, ""));
  if (symbol === null || left === null) return null;
  const action = order[1].toLowerCase();
  const fields = {
    symbol,
    action,
    marketposition: left === "0" ? "flat" : left.startsWith("-") ? "short" : "long",
    contracts: size,
    price: order[3] ? order[2] : null,
    strategyname: colon > 0 ? head.slice(0, colon).replace(/ \([^()]{0,256}\)$/, "").trim() : null,
    time: /\d{4}-\d\d-\d\dT[\d:.]{5,15}Z/.exec(tail)?.[0] ?? null,
  };
  return Object.entries(fields).flatMap(([name, value]) =>
    value === null || value === "" ? [] : [{ name, path: name, value }]
  );
}

/** The one word in capitals that can be an instrument; the last, because `filled on EURUSD` comes at the end. */
function symbolIn(text: string): string | null {
  const words = text.match(/[A-Z0-9][A-Z0-9._!\/:&-]{1,40}/g) ?? [];
  const found = words.map((word) => word.replace(/[.:]$/, "")).filter((word) =>
    /[A-Z]/.test(word) && readSymbol(word) !== null && !isTradingWord(word) &&
    !/\d{4}-\d\d-\d\dT/.test(word) &&
    (word.includes(":") || isSymbol(word))
  );
  return found.at(-1) ?? null;
}
