import { type Field, fieldName, isPlaceholder, readNumber } from "./alert-field.ts";
import { isSecretKey, plainKey } from "./alert-key.ts";
import { removed } from "./alert-secret.ts";
import { strategySentence } from "./alert-sentence.ts";
import { isCommand, isTradingWord, readSymbol, readWords } from "./alert-word.ts";

/** Text that is no JSON, as fields; empty where nothing in it can be relied on. */
export function readText(body: string): Field[] {
  // Escaped twice on its way, and in quotes: `""SYMBOL = X;\\nSIGNAL = sell;""`.
  const unescaped = body.replace(/\\{1,4}r?\\{0,4}n|\\{1,4}[rn]/g, "\n");
  // One break or space for each run of them, and no quotes around: later patterns need not look far.
  const text = unescaped.replace(/\s{2,}/g, (run) => run.includes("\n") ? "\n" : " ")
    .replace(/^[\s"']{1,8}/, "").replace(/(?<![\s"'])[\s"']{1,8}$/, "");
  return strategySentence(text) ?? condition(text) ?? pairs(text) ?? columns(text) ?? words(text) ??
    [];
}

const field = (name: string, value: string): Field => ({ name, path: name, value });

/** TradingView's own words for a price alert: `BTCUSDT Crossing 67,000.00`. They ask for nothing. */
function condition(text: string): Field[] | null {
  const said =
    /^([A-Z0-9][A-Z0-9._!:\/&-]{0,40}),?\s(?:.{0,16}\s)?(Crossing|Greater Than|Less Than|Entering Channel|Exiting Channel|Inside Channel|Outside Channel|Moving Up|Moving Down)\b/
      .exec(text);
  return said ? [field("symbol", said[1]), field("message", text)] : null;
}

const known =
  /^(symbol|ticker|asset|pair|instrument|market|exchange|action|side|signal|orderaction|direction|type|cmd|command|event)$/;

/** `SYMBOL = X; SIGNAL = sell; PRICE = 1`, one pair a line, or parted by `;`, `&`, `|`, `,` or spaces. */
function pairs(text: string): Field[] | null {
  for (
    const parting of [
      /[\n;]/,
      /[\n;&|]/,
      /[\n;&|,]/,
      /(?<![\n;&|,\s])[\n;&|,\s]{1,8}(?=[A-Za-z_.]{1,32}\s?[=:])/,
    ]
  ) {
    const parts = text.split(parting).map((part) => part.trim()).filter((part) => part !== "");
    const found = parts.slice(0, 256).map((part) =>
      /^([A-Za-z][\w .-]{0,40}?)\s?[=:]\s{0,8}(.*)$/.exec(part)
    );
    const fields = found.flatMap((pair) =>
      pair === null || isSecretKey(pair[1])
        ? []
        : [{ name: fieldName(plainKey(pair[1])), path: pair[1], value: unquote(pair[2]) }]
    );
    const names = fields.filter(({ name }) => known.test(name));
    // A value with a further pair in it means that this is not how the pairs are parted.
    const nested = fields.some(({ value }) => /(^|[\s,;&|])[A-Za-z_]{1,32}\s?=/.test(value));
    if (names.length >= 2 && !nested) return fields;
  }
  return null;
}

const unquote = (value: string): string => value.trim().replace(/^(["'])(.*)\1$/, "$2").trim();

/**
 * `licence,command,symbol,lots,stop loss,take profit` as PineConnector has it, `command,symbol`, `symbol|command`.
 * A number counts only where its column has a meaning; without a licence in front it has none.
 */
function columns(text: string): Field[] | null {
  if (/\n/.test(text.trim()) || !/[,|;]/.test(text)) return null;
  const cells = text.split(/[,|;]/).map((cell) => cell.trim());
  const licensed = cells[0] === removed;
  const rest = (licensed ? cells.slice(1) : cells).filter((cell) => cell !== "");
  const command = rest.slice(0, 2).findIndex(isCommand);
  if (command < 0 || rest.length < 2 || rest.length > 64) return null;
  const symbol = command === 0 ? rest[1] : rest[0];
  if (!/[A-Za-z]/.test(symbol) || /[=\s]/.test(symbol) || readSymbol(symbol) === null) return null;
  const fields = [field("action", rest[command]), field("symbol", symbol)];
  const positional = ["size", "sl", "tp"];
  rest.slice(2).forEach((cell, at) => {
    const pair = /^([A-Za-z][\w .]{0,40}?)\s?=\s?(.*)$/.exec(cell);
    if (pair) {
      if (!isSecretKey(pair[1])) {
        fields.push({ ...field(plainKey(pair[1]), unquote(pair[2])), path: pair[1] });
      }
    } else if (licensed && at < 3 && readNumber(cell) !== null) {
      fields.push(field(positional[at], cell));
    } else fields.push(field(`column ${at + 3}`, cell));
  });
  return levelsNearPrice(fields);
}

/** `sl=20` is a distance in pips or a price, as the receiver is set. Only beside a price near it is it one. */
function levelsNearPrice(fields: Field[]): Field[] {
  const price = Number(fields.find(({ name }) => name === "price")?.value ?? Number.NaN);
  return fields.map((item) => {
    if (item.path === item.name && item.name !== "sl" && item.name !== "tp") return item;
    if (!/^(sl|tp\d?|stoploss|takeprofit)$/.test(item.name)) return item;
    const near = Math.abs(Number(item.value) / price - 1) < 0.5;
    const positional = fields.some(({ name }) => name === "size") && item.path === item.name &&
      fields.length >= 4 &&
      !Number.isNaN(Number(item.value)) && Number.isNaN(price);
    return near || positional ? item : { ...item, name: `${item.name} unit unknown` };
  });
}

const label =
  /^(@|at|price|entry|limit|stop|sl|stoploss|stop-loss|tp\d{0,2}|target\d{0,2}|takeprofit\d{0,2}|qty|quantity|size|lots?|contracts|tf|timeframe|interval)$/i;
const fieldOfLabel: Record<string, string> = {
  "@": "price",
  at: "price",
  entry: "price",
  limit: "price",
  stop: "sl",
};
// In capitals, and still no instrument.
const prose =
  /^(A|AN|AND|ATR|ALERT|BE|BOS|BTFD|DIP|DOWN|EMA|FOMO|FOR|FROM|HIGH|HODL|IF|IN|IS|IT|LOW|MACD|MA|NOT|OF|OK|ON|OR|PM|AM|RSI|SIGNAL|SMA|STOCH|STRONG|SUPERTREND|THE|THIS|TO|TREND|UP|UTC|VWAP|WITH|YES|YOU)$/;

/** `BUY BTCUSDT @ 67000 SL 66000 TP 69000`: a command, an instrument beside it, and labelled numbers. */
function words(text: string): Field[] | null {
  const tokens = text.slice(0, 2000)
    .replace(/(take|stop)[ -](profit|loss)/gi, "$1$2")
    .replace(
      /\b((?:SL|TP\d{0,2}|TARGET\d{0,2}|STOPLOSS|TAKEPROFIT\d{0,2}|ENTRY|PRICE|QTY|SIZE|STOP)) ?[:=] ?(?=[\d$€])/gi,
      " $1 ",
    )
    .replace(/@/g, " @ ").split(/[\s|;]+|,(?=\s|$)/).filter((token) => token !== "").slice(0, 200);
  const fields: Field[] = [];
  const left: { token: string; at: number }[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const value = tokens[at + 1]?.replace(/[,.]$/, "") ?? "";
    const name = label.exec(tokens[at])?.[1].toLowerCase();
    const frame = name !== undefined && /^(tf|timeframe|interval)$/.test(name) &&
      /^\d{1,4}[A-Za-z]{0,3}$/.test(value);
    const number = readNumber(value.replace(/%$/, "")) !== null || isPlaceholder(value);
    if (name !== undefined && (number || frame)) {
      fields.push({ ...field(fieldOfLabel[name] ?? plainKey(name), value), path: tokens[at] });
      at++;
    } else left.push({ token: tokens[at].replace(/(?<![.,:!])[.,:!]{1,8}$/, ""), at });
  }
  const commands = left.filter(({ token }) => isTradingWord(token));
  const others = left.filter(({ token }) =>
    !isTradingWord(token) && token !== removed && readNumber(token) === null
  );
  for (const { token } of left) {
    if (!isTradingWord(token) && readNumber(token) !== null) {
      fields.push(field("number without a label", token));
    }
  }
  const action = commands.map(({ token }) => token).join(" ");
  // Prose around the command is tolerated only where the instrument stands beside it and stands out.
  const near = others.length === 1
    ? commands
    : commands.filter(({ token }) => readWords(token) !== null);
  const beside = others.filter(({ token, at }) =>
    named(token, others.length === 1) && near.some((command) => Math.abs(command.at - at) === 1)
  );
  if (commands.length === 0 || action.length > 64 || beside.length === 0) return null;
  const rest = others.length - 1;
  const loud = text === text.toUpperCase();
  if (beside.length > 1 || (rest > 0 && (loud || readWords(action) === null))) return null;
  const note = rest > 0 ? [field("message", text)] : [];
  return [field("action", action), field("symbol", beside[0].token), ...fields, ...note];
}

const named = (token: string, alone: boolean): boolean => {
  const symbol = readSymbol(token);
  if (isPlaceholder(token)) return true;
  if (symbol === null || !/[A-Za-z]/.test(symbol.symbol) || prose.test(symbol.symbol)) return false;
  return token === token.toUpperCase() || (alone && symbol.symbol.length >= 5);
};
