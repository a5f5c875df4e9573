import type { AlertKind, Side } from "./alert-action.ts";
import { type Fields, readNumber, readPercent, readPrice, usable } from "./alert-field.ts";
import { positive } from "./decimal.ts";

const entryPrices = [
  "entryprice",
  "entry",
  "orderprice",
  "signalprice",
  "limitprice",
  "triggerprice",
  "price",
  "limit",
  "orderlimitprice",
  "close",
  "lastprice",
  "last",
  "barclose",
  "candleclose",
] as const;
const exitPrices = ["exitprice", "closeprice", "exit", "fillprice"] as const;

/** The alert's own price; a bar's close is the last resort. Zero, negative and unreadable prices are no price. */
export function readPriceOf(fields: Fields, kind: AlertKind): string | null {
  const names: readonly string[] = kind === "entry" ? entryPrices : [...exitPrices, ...entryPrices];
  // Each name is asked, so that a second price is not reported as a field nobody understood.
  return names.map((name) => fields.first([name])).map((text) =>
    text === null ? null : readPrice(text)
  )
    .find((price) => price !== null) ?? null;
}

interface Levels {
  stop_loss: string | null;
  take_profits: string[];
  stop_loss_pct: string | null;
  take_profit_pct: string | null;
}

const stops = [
  "sl",
  "stoploss",
  "stop",
  "stopprice",
  "stoplossprice",
  "stoplossstopprice",
  "slprice",
] as const;
const stopPercents = [
  "stoplosspercent",
  "stoplosspct",
  "slpercent",
  "slpct",
  "stoplosspercentage",
  "stoppct",
  "stoppercent",
] as const;
const target = /^(?:tp|takeprofit|target)(\d{0,2})(?:price|limitprice)?$/;
// Not `tp1_pct`: beside a target's price that is the share of the position that it closes.
const targetPercents = [
  "takeprofitpercent",
  "takeprofitpct",
  "tppercent",
  "tppct",
  "takeprofitpercentage",
] as const;

/** Stop and targets for the side in question: scripts with both sides send `long SL` and `short SL` together. */
export function readLevels(fields: Fields, side: Side | null): Levels {
  const ofSide = side === null ? [] : [`${side}sl`, `${side}stoploss`, `${side}stop`, `sl${side}`];
  const levels = each(fields, [...ofSide, ...stops]);
  const general = fields.matching(target).filter(({ value }) => usable(value))
    .sort((a, b) => order(a.name) - order(b.name)).map(({ value }) => value);
  const sided = side === null
    ? []
    : fields.matching(new RegExp(`^(?:${side}tp|${side}takeprofit|tp${side})\\d{0,2}$`)).map((
      { value },
    ) => value);
  // The other side's levels are understood, and not meant for this one.
  if (side !== null) fields.matching(/^(?:long|short)(?:sl|stoploss|stop|tp|takeprofit)\d{0,2}$/);
  const targets = [...sided, ...general].filter(usable);
  const prices = targets.map(readPrice).filter((price) => price !== null);
  return {
    stop_loss: levels.map(readPrice).find((price) => price !== null) ?? null,
    take_profits: [...new Set(prices)].slice(0, 10),
    stop_loss_pct: percentage(levels, each(fields, stopPercents)),
    take_profit_pct: percentage(targets, each(fields, targetPercents)),
  };
}

/** A percentage has a field of its own, or a percent sign in the level's. */
const percentage = (levels: string[], percents: string[]): string | null =>
  [...levels.filter((text) => text.trim().endsWith("%")), ...percents].map(readPercent)
    .find((value) => value !== null) ?? null;

const order = (name: string): number => Number(target.exec(name)?.[1] || 0);

const each = (fields: Fields, names: readonly string[]): string[] =>
  names.map((name) => fields.first([name])).filter((text) => text !== null);

/** In whatever unit the alert counts; a share of an account (`50%`) is no size. */
export function readSize(fields: Fields): string | null {
  const text = each(fields, [
    "qty",
    "quantity",
    "contracts",
    "ordercontracts",
    "orderqty",
    "orderquantity",
    "size",
    "ordersize",
    "lotsize",
    "lots",
    "lot",
  ])[0];
  const size = text === undefined ? null : readNumber(text);
  return size === null ? null : positive(size);
}
