// The words of trading, as people and bots write them: `exit_long`, `closelong`, `Close entry(s) order Long`, `TP1 hit`.

export type Verb = "entry" | "exit" | "close" | "take_profit" | "notice";
export interface Reading {
  verb: Verb | null;
  order: "buy" | "sell" | null;
  side: "long" | "short" | null;
}

const vocabulary: [RegExp, string][] = [
  [/^(buy|bought|buying)$/, "buy"],
  [/^(sell|sold|selling)$/, "sell"],
  [/^(long|longs|bull|bullish)$/, "long"],
  [/^(short|shorts|bear|bearish)$/, "short"],
  [/^(enter|entry|entries|entered|open|opened|new|add|go|going|start)$/, "entry"],
  [/^(exit|exits|exited|exiting|reduce|trim|scale)$/, "exit"],
  [
    /^(close|closes|closed|closing|flat|flatten|flattened|closeall|exitall|liquidate|squareoff)$/,
    "close",
  ],
  [/^(tp|takeprofit|tphit|target)\d{0,2}$/, "take_profit"],
  [/^(sl|stoploss|stoplosshit|slhit|stopped|stopout|trailingstop)$/, "stopped"],
  [/^cover(ed|ing)?$/, "cover"],
  [/^(stop|loss)$/, "stop"],
  [/^(take|profits?)$/, "profit"],
  [
    /^(hold|neutral|none|wait|cancel|cancelled|canceled|cancelall|breakeven|be|move|moved|update|updated|modify|adjust|trail|trailing|info|warning|heads|watch|test|ping)$/,
    "notice",
  ],
  [
    /^(\d{1,2}|s|the|my|your|position|positions|pos|order|orders|trade|trades|all|now|signal|signals|alert|alerts|hit|hits|reached|at|market|limit|partial|partially|full|to|out|in|filled|triggered|confirmed|setup|opportunity|price|half|of|up|for|a|on|no|off|activated|fired|strong)$/,
    "filler",
  ],
];

// `closelong`, `longentry`, `buystop`: two or three words without a gap.
const joined =
  /^(enter|entry|open|go|new|exit|close|buy|sell|long|short|cover|bullish|bearish|all|stop|limit|market|entries|signal|alert|position|order|tp\d{0,2}|sl|hit|to|take|profit|loss)+$/;
const joint =
  /enter|entry|entries|open|go|new|exit|close|buy|sell|long|short|cover|bullish|bearish|all|stop|limit|market|signal|alert|position|order|tp\d{0,2}|sl|hit|to|take|profit|loss/g;

/** The words of a phrase; null as soon as one is no word of trading. Bounded: longer text is prose, not a command. */
function senses(phrase: string): Set<string> | null {
  if (phrase.length > 64) return null;
  const words = phrase.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().normalize("NFKC")
    .replace(/[^\p{L}\p{N}]+/gu, " ").trim().split(" ")
    .flatMap((word) =>
      sense(word) === null && joined.test(word) ? word.match(joint) ?? [] : [word]
    );
  const found = words.map(sense);
  return found.includes(null) ? null : new Set(found as string[]);
}

const sense = (word: string): string | null =>
  vocabulary.find(([pattern]) => pattern.test(word))?.[1] ?? null;

/** Null for what is not said wholly in the words of trading, or says nothing about a position. */
export function readWords(phrase: string): Reading | null {
  const said = senses(phrase);
  if (said === null) return null;
  const order = said.has("buy") ? "buy" : said.has("sell") ? "sell" : null;
  const side = said.has("long") ? "long" : said.has("short") || said.has("cover") ? "short" : null;
  if ((said.has("buy") && said.has("sell")) || (said.has("long") && said.has("short"))) {
    // `close long/short`: both at once, so neither is named.
    const both = said.has("close") || said.has("exit") || said.has("notice");
    return both ? { verb: said.has("notice") ? "notice" : "close", order: null, side: null } : null;
  }
  const verb = verbOf(said, order !== null || side !== null);
  return verb === null && order === null && side === null ? null : { verb, order, side };
}

function verbOf(said: Set<string>, named: boolean): Verb | null {
  if (said.has("notice")) return "notice";
  if (said.has("take_profit")) return "take_profit";
  if (said.has("profit") && !said.has("stop")) return "take_profit";
  if (said.has("stopped") || said.has("cover")) return "exit";
  // `buy stop` is an order to enter; `stop`, `stop hit` and `stop loss` are the end of one.
  if (said.has("stop") && !(named && !said.has("close") && !said.has("exit"))) return "exit";
  if (said.has("close")) return "close";
  if (said.has("exit")) return "exit";
  return said.has("entry") ? "entry" : null;
}

/** A word that can stand alone as the command of a line: `buy`, `closelong`, `exit_short`. */
export const isCommand = (word: string): boolean => !/\s/.test(word) && readWords(word) !== null;

export const isTradingWord = (word: string): boolean => word !== "" && senses(word) !== null;

/** What an exchange calls an instrument. Look-alike letters of other alphabets are none. */
export const isSymbol = (text: string): boolean => /^[A-Z0-9][A-Z0-9._!\/&^=-]{0,31}$/.test(text);

/** `BINANCE:BTCUSDT.P` → both parts. Delayed feeds carry `_DL` or `_DLY` on the exchange. */
export function readSymbol(text: string): { symbol: string; exchange: string | null } | null {
  const parts = text.trim().toUpperCase().split(":");
  const symbol = parts.at(-1)!.trim();
  if (parts.length > 2 || !isSymbol(symbol)) return null;
  return { symbol, exchange: parts.length === 2 ? readExchange(parts[0]) : null };
}

export function readExchange(text: string): string | null {
  const name = text.trim().toUpperCase().replace(/_DLY?$/, "");
  return /^[A-Z0-9][A-Z0-9_. -]{0,31}$/.test(name) ? name : null;
}
