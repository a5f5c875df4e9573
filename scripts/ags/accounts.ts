import { Sentence } from "../stack/sentence.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { showObjects } from "./output.ts";

export interface AccountOptions {
  channel?: string;
  currency?: string;
  balance?: string[];
  maxPositions?: string[];
  maxOrderSize?: string[];
  maxDrawdownPct?: string[];
  dailyLossCap?: string[];
  json?: boolean;
}

type Account = Record<string, unknown> & { account_id: string; status: string };

const columns = [
  "account_id",
  "channel",
  "currency",
  "status",
  "opening_balance",
  "opened_at",
  "limits",
];

const administer = async <T>(name: string, args: Record<string, unknown> = {}): Promise<T> =>
  unlessRefused(await ask<T>("administer", { name, args }));

/** Trading accounts: what there is, a new one, its own tighter limits, and the switch that keeps orders off it. */
export async function accounts(
  what: string,
  id: string | undefined,
  reason: string[],
  options: AccountOptions,
): Promise<void> {
  const json = options.json === true;
  if (what === "list") {
    return showObjects(await administer<Account[]>("list_accounts"), columns, json);
  }
  if (!["open", "limits", "suspend", "activate"].includes(what)) {
    throw new Sentence(
      `accounts does not know "${what}": list, open, limits, suspend or activate.`,
    );
  }
  if (!id) throw new Sentence(`Say which account: accounts ${what} <id>`);
  if (what === "open") {
    const account = await administer<Account>("open_account", {
      p_account: accountOf(id, options),
      p_actor: actor(),
    });
    return tell(account, `${account.account_id} is open on ${account.channel}.`, json);
  }
  if (what === "limits") {
    const account = await administer<Account>("set_limits", {
      p_account_id: id,
      p_limits: limitsOf(options),
      p_actor: actor(),
    });
    return tell(account, `${id} now has: ${JSON.stringify(account.limits)}`, json);
  }
  if (reason.length === 0) throw new Sentence(`Write: accounts ${what} <id> <reason>`);
  const account = await administer<Account>("set_account_status", {
    p_account_id: id,
    p_status: what === "suspend" ? "suspended" : "active",
    p_reason: reason.join(" "),
    p_actor: actor(),
  });
  return tell(account, `${id} is ${account.status}.`, json);
}

const tell = (account: Account, sentence: string, json: boolean): void =>
  console.log(json ? JSON.stringify(account) : sentence);

function accountOf(account_id: string, { channel, currency, balance }: AccountOptions) {
  if (!currency || balance?.[0] === undefined) {
    throw new Sentence(
      "An account needs --currency and --balance: accounts open paper-1 --currency USDT --balance 10000",
    );
  }
  return {
    account_id,
    channel: channel ?? "paper",
    currency,
    opening_balance: String(balance[0]),
  };
}

function limitsOf(options: AccountOptions): Record<string, string> {
  const given: [string, string[] | undefined][] = [
    ["max_positions", options.maxPositions],
    ["max_order_size", options.maxOrderSize],
    ["max_drawdown_pct", options.maxDrawdownPct],
    ["daily_loss_cap", options.dailyLossCap],
  ];
  const limits = given.flatMap(([name, values]) =>
    values?.[0] === undefined ? [] : [[name, String(values[0])]]
  );
  if (limits.length === 0) {
    throw new Sentence(
      "Say which limit: --max-positions, --max-order-size, --max-drawdown-pct or --daily-loss-cap",
    );
  }
  return Object.fromEntries(limits);
}
