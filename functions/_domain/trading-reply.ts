import { z } from "zod";
import { line, utc } from "./telegram-text.ts";

// Payloads are written by SQL; numbers become text at once and nothing here calculates.
const optional = z.union([z.string(), z.number(), z.boolean()]).transform(String).nullish()
  .transform((value) => value ?? null).catch(null);
const list = <T extends z.ZodType>(item: T) =>
  z.array(item).nullish().transform((items) => items ?? []).catch([]);

const position = z.object({
  symbol: optional,
  side: optional,
  quantity: optional,
  entry_price: optional,
  price: optional,
  price_at: optional,
  stop_loss: optional,
  take_profit: optional,
  pnl: optional,
});
const holding = z.object({
  account_id: optional,
  currency: optional,
  status: optional,
  in_flight: optional,
  max_positions: optional,
  positions: list(position),
});
const standing = z.object({
  account_id: optional,
  currency: optional,
  status: optional,
  equity: optional,
  today: optional,
  today_pct: optional,
  drawdown_pct: optional,
  realized: optional,
  trades: optional,
  wins: optional,
});

export const tradingReplies = [
  z.object({ reply: z.literal("positions"), accounts: list(holding) }),
  z.object({ reply: z.literal("pnl"), accounts: list(standing) }),
] as const;
export type TradingReply = z.output<(typeof tradingReplies)[number]>;

const mostPositions = 12;
const known = (value: string | null, limit = 32): string =>
  value === null || line(value, limit) === "" ? "unknown" : line(value, limit);

/** Thousands are not grouped and nothing is rounded: what was stored is what is shown. A plus says that it is a gain. */
const signed = (value: string | null): string =>
  value === null ? "unknown" : /^-|^0(\.0*)?$/.test(value) ? known(value) : `+${known(value)}`;

const suspended = (status: string | null): string =>
  status === "active" ? "" : ` (${known(status)})`;

function positionLines(item: z.output<typeof position>, currency: string | null): string[] {
  return [
    `${known(item.symbol)} ${known(item.side)} ${known(item.quantity)} at ${
      known(item.entry_price)
    }: ${signed(item.pnl)} ${known(currency)}`,
    `  now ${known(item.price)} (${utc(item.price_at)}), stop ${known(item.stop_loss)}, target ${
      known(item.take_profit)
    }`,
  ];
}

function positionsText(accounts: z.output<typeof holding>[]): string {
  if (accounts.length === 0) return "There is no trading account yet.";
  return accounts.map((account) => {
    const { positions, in_flight, max_positions } = account;
    const waiting = in_flight === null || in_flight === "0"
      ? ""
      : `, ${known(in_flight)} under way`;
    return [
      `${known(account.account_id, 64)}${suspended(account.status)}: ${positions.length} open of ${
        known(max_positions)
      }${waiting}`,
      ...positions.slice(0, mostPositions).flatMap((item) => positionLines(item, account.currency)),
      ...(positions.length > mostPositions ? [`and ${positions.length - mostPositions} more`] : []),
    ].join("\n");
  }).join("\n\n");
}

function pnlText(accounts: z.output<typeof standing>[]): string {
  if (accounts.length === 0) return "There is no trading account yet.";
  return accounts.map((account) => {
    const trades = account.trades === null || account.trades === "0"
      ? "No position was closed yet."
      : `Closed: ${known(account.trades)}, of them won: ${known(account.wins)}, together ${
        signed(account.realized)
      } ${known(account.currency)}`;
    return [
      `${known(account.account_id, 64)}${suspended(account.status)}: ${known(account.equity)} ${
        known(account.currency)
      }`,
      `Since 00:00 UTC: ${signed(account.today)} (${signed(account.today_pct)} %)`,
      `Below its peak: ${known(account.drawdown_pct)} %`,
      trades,
    ].join("\n");
  }).join("\n\n");
}

interface News {
  topic: string;
  subject?: string | null;
  value?: string | null;
  reason?: string | null;
  by?: string | null;
}

/** An owner who did not agree to it must be able to tell from this alone. Null: not this file's topic. */
export function tradingAnnouncementText(news: News): string | null {
  const [account, by] = [known(news.subject ?? null, 64), known(news.by ?? null, 64)];
  switch (news.topic) {
    case "account_limits":
      return `Account ${account}: its limits were changed by ${by}: ${
        known(news.value ?? null, 280)
      }. If that was not agreed: accounts suspend ${account} <reason>`;
    case "account_status":
      return `Account ${account} is ${known(news.value ?? null)}, by ${by}: ${
        known(news.reason ?? null, 280)
      }`;
    default:
      return null;
  }
}

/** Null: not this file's reply. */
export function tradingReplyText(answer: { reply: string }): string | null {
  const read = z.discriminatedUnion("reply", [...tradingReplies]).safeParse(answer);
  if (!read.success) return null;
  return read.data.reply === "positions"
    ? positionsText(read.data.accounts)
    : pnlText(read.data.accounts);
}
