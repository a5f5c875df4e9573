import { createHash } from "node:crypto";
import type { AgentContext } from "../../../functions/_agents/agent.ts";
import type { Subject } from "../../../functions/_agents/critic-subject.ts";
import type { AccountState } from "../../../functions/_domain/account-state.ts";
import { rehearse } from "../../../functions/_domain/dry-run.ts";
import type { Json } from "../../../functions/_domain/json.ts";
import { type Order, readOrder } from "../../../functions/_domain/order.ts";
import type { Quote } from "../../../functions/_domain/quote.ts";
import type { Input } from "../../../functions/_domain/task.ts";
import { act, cited, policy, research, retrieval, subjectOf, tier } from "./critic-scene.ts";

export const asked: { [name: string]: Json } = {
  account_id: "paper-1",
  symbol: "BTCUSDT",
  side: "buy",
  quantity: "1",
  type: "market",
  stop_loss: "98",
  take_profit: "104",
};

export const quote: Quote = {
  symbol: "BTCUSDT",
  source: "binance",
  price: "100",
  bid: null,
  ask: null,
  observed_at: "2026-03-02T08:15:04.000Z",
};

export const account: AccountState = {
  account_id: "paper-1",
  channel: "paper",
  currency: "USDT",
  status: "active",
  equity: "10000",
  equity_at_open: "10000",
  peak_equity: "10000",
  day_loss: "0",
  open_risk: "0",
  open_positions: "0",
  in_flight: "0",
  in_flight_loss: "0",
  positions: [],
  limits: { max_daily_loss_pct: "5", max_drawdown_pct: "10", max_positions: "3" },
};

export const market: Pick<AgentContext, "market" | "account"> = {
  market: () => Promise.resolve(quote),
  account: () => Promise.resolve(account),
};

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const goal = "Buy as asked";

export const proposalOf = (payload: { [name: string]: Json }, order: Order): Input => {
  const figures = Object.fromEntries(
    Object.entries(payload).filter(([, value]) => value !== null).map((
      [name, value],
    ) => [name, String(value)]),
  );
  const content = JSON.stringify({
    action: "TRADE",
    summary: goal,
    text: goal,
    figures,
    evidence: cited,
    order,
  });
  return { ...act("proposal", content), checksum: sha256(content) };
};

export const dryRunOf = (proposal: Input, content: object): Input => ({
  ...proposal,
  node_id: "dry_run",
  artifact_id: "0b6f1c52-4444-4a7e-9c1d-000000000004",
  type: "dry_run",
  content: JSON.stringify({ subject_sha256: proposal.checksum, ...content }),
});

/** A trade as the critic meets it: request, proposal and rehearsal, each of which a test may bend. */
export function tradeSubject(
  change: {
    payload?: { [name: string]: Json };
    order?: Partial<Order>;
    account?: Partial<AccountState>;
    quote?: Partial<Quote>;
    dryRun?: object | null;
  } = {},
): Subject {
  const payload = { ...asked, ...change.payload };
  const order = { ...readOrder(payload), ...change.order };
  const artifact = proposalOf(payload, order);
  const run = rehearse(
    order,
    { ...quote, ...change.quote },
    { ...account, ...change.account },
    policy.trading,
  );
  const inputs = change.dryRun === null
    ? [research, retrieval]
    : [research, retrieval, dryRunOf(artifact, { ...run, ...change.dryRun })];
  return subjectOf(artifact, { ...tier("T3", "TRADE"), goal, payload, flow: "trade" }, { inputs });
}
