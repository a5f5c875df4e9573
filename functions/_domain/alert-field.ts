import { decimal, positive } from "./decimal.ts";
import type { JsonNode } from "./alert-json.ts";
import { isSecretKey, plainKey } from "./alert-key.ts";

/** One thing that the alert says, whatever its notation. `name` is plain; `path` is as it was written. */
export interface Field {
  name: string;
  path: string;
  value: string;
}

/** What TradingView could not fill in stays as it was written: no value. So do the ways to write nothing. */
export const isPlaceholder = (value: string): boolean => /\{\{[^{}]{0,128}\}\}/.test(value);
const isNothing = (value: string): boolean =>
  /^(|null|none|na|n\/a|nan|[+-]?infinity|undefined|\[removed\])$/i.test(value.trim());
export const usable = (value: string): boolean => !isNothing(value) && !isPlaceholder(value);

// Objects that only group fields. The others keep their name in front of their fields', because `order.id` is not an
// alert's id and `bar.close` is not an order's price.
const transparent =
  /^(data|payload|trade|params|tradingview|webhook|body|content|signal|alert|message|event)$/;
const prefixed = /^(bar|candle|order|position|stoploss|takeprofit|strategy|sl|tp\d{0,2}|syminfo)$/;
const targetList = /^(takeprofits?|tps?|targets?|takeprofitlevels|tplevels)$/;

/** Every leaf of an object as a field. Lists are read for targets only. */
export function fieldsOf(node: JsonNode): Field[] {
  const fields: Field[] = [];
  const visit = (value: JsonNode, name: string, path: string) => {
    if (value.type === "object") {
      const keep = path === "" || transparent.test(name)
        ? ""
        : prefixed.test(name)
        ? name
        : `${name} `;
      for (const { key, value: inner } of value.entries) {
        if (isSecretKey(key.text)) continue;
        visit(
          inner,
          fieldName(keep + plainKey(key.text)),
          path === "" ? key.text : `${path}.${key.text}`,
        );
      }
    } else if (value.type === "array") {
      if (targetList.test(name)) {
        value.items.forEach((item, at) => visit(item, `tp${at + 1}`, path));
      } else fields.push({ name: `${name} list`, path, value: "" });
    } else fields.push({ name, path, value: value.type === "null" ? "" : value.text.trim() });
  };
  visit(node, "", "");
  return fields;
}

/** `strategy.order.action` and `strategy_market_position` are TradingView's names with a word in front. */
export const fieldName = (plain: string): string =>
  plain.replace(/^strategy(?=order|market|prev|position)/, "");

/** Answers by name and remembers who was asked for; the rest is what nobody understood. */
export class Fields {
  private readonly read = new Set<string>();
  constructor(readonly all: Field[]) {}

  /** The first usable value, in the order of the names given. */
  first(names: readonly string[]): string | null {
    let found: string | null = null;
    for (const name of names) {
      this.read.add(name);
      for (const field of this.all) {
        if (field.name === name && usable(field.value)) found ??= field.value;
      }
    }
    return found;
  }

  /** Every field of these names, placeholders included. */
  every(names: readonly string[]): Field[] {
    names.forEach((name) => this.read.add(name));
    return this.all.filter((field) => names.includes(field.name));
  }

  matching(pattern: RegExp): Field[] {
    const found = this.all.filter((field) => pattern.test(field.name));
    found.forEach((field) => this.read.add(field.name));
    return found;
  }

  unknown(): string[] {
    const paths = this.all.filter((field) => !this.read.has(field.name)).map((field) => field.path);
    return [...new Set(paths)].slice(0, 32);
  }
}

/** `"67,000.50"` and `"$67000"` are prices; `"67,5"` has two readings and is none. */
export function readNumber(text: string): string | null {
  const plain = text.trim().replace(/^[$€£¥]\s?/, "");
  const grouped = /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(plain) && !/^0,/.test(plain);
  return decimal(grouped ? plain.replaceAll(",", "") : plain);
}

export const readPrice = (text: string): string | null => {
  const value = readNumber(text);
  return value === null ? null : positive(value);
};

export function readPercent(text: string): string | null {
  const value = readNumber(text.trim().replace(/\s?%$/, ""));
  return value === null ? null : positive(value);
}

const iso =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d{0,6})?)?\s?(Z|UTC|[+-]\d\d:?\d\d)?$/;

/** Unix seconds or milliseconds, or ISO; without a zone it is UTC, because TradingView's own times are. */
export function readTime(text: string): string | null {
  const trimmed = text.trim();
  if (/^\d{10}(\.\d{1,6})?$/.test(trimmed)) return stamp(Number(trimmed.slice(0, 10)) * 1000);
  if (/^\d{13}$/.test(trimmed)) return stamp(Number(trimmed));
  const parts = iso.exec(trimmed);
  if (!parts) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) =>
    Number(part ?? 0)
  );
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return null;
  const time = Date.UTC(
    year,
    month - 1,
    day,
    hour,
    minute,
    second,
    Number((parts[7] ?? "0").padEnd(3, "0")),
  );
  if (new Date(time).getUTCDate() !== day) return null;
  const zone = /^([+-])(\d\d):?(\d\d)$/.exec(parts[8] ?? "");
  const offset = zone
    ? (Number(zone[2]) * 60 + Number(zone[3])) * (zone[1] === "-" ? -60_000 : 60_000)
    : 0;
  return stamp(time - offset);
}

/** Within this century: 0 and the far future are clocks that are not set. */
const stamp = (time: number): string | null =>
  time >= Date.UTC(2000, 0) && time < Date.UTC(2100, 0) ? new Date(time).toISOString() : null;
