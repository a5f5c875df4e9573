import { proposedOrder } from "../_agents/dry-run.ts";
import type { AgentContext } from "../_agents/agent.ts";
import type { BrokerBridge } from "../_channels/broker-bridge.ts";
import { confirmEffect } from "../_database/confirm-effect.ts";
import type { Database } from "../_database/database.ts";
import { type Breakers, type Leave, outcomeOfOrder, withLeave } from "../_domain/breaker.ts";
import type { AccountState } from "../_domain/account-state.ts";
import { isRefusalCode, Refusal } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import type { Market } from "./market.ts";

export interface TradeDeps {
  database: Database;
  policy_sha256: string;
  market: Market;
  account: (accountId: string) => Promise<AccountState>;
  /** Null where no order can leave the house. */
  bridge: BrokerBridge | null;
  breakers: Breakers;
  /** The executor's allowlist: `quotes.read` and `broker.order`. */
  tool: AgentContext["tool"];
}

interface Answer {
  refused?: string;
  reason?: string;
  effect_id?: string;
  status?: string;
  idempotency_key?: string;
}

const passing = [
  "unavailable",
  "rate_limited",
  "invalid_request",
  "insufficient_data",
  "url_denied",
];

/**
 * No price is no failure of an approved order, nor is one that cannot be used, as from a source whose clock is ahead: an
 * exit that people approved waits for a better one, until its approval lapses.
 */
async function freshPrice({ tool, market }: TradeDeps, symbol: string): Promise<void> {
  try {
    await tool("quotes.read", () => market(symbol));
  } catch (error) {
    const waits = error instanceof Refusal && passing.includes(error.code);
    throw waits ? new Refusal("quote_stale", error.detail) : error;
  }
}

function unlessRefused(answer: Answer): Answer {
  if (answer.refused === undefined) return answer;
  throw new Refusal(isRefusalCode(answer.refused) ? answer.refused : "internal", answer.reason);
}

/**
 * Reserve, start, order, confirm. The database holds the order against everything once more, at the reservation and
 * again at the start; a paper account is filled within its reservation. The start is committed before the order leaves, so
 * whoever finds it without an outcome knows that it may have been placed, and nobody places it twice.
 */
export async function executeTrade(deps: TradeDeps, work: StepWork): Promise<void> {
  const { order } = proposedOrder(work);
  const { channel } = await deps.account(order.account_id);
  if (channel !== "http-bridge") {
    await freshPrice(deps, order.symbol);
    await reserve(deps, work, channel);
    return;
  }
  // A missing bridge, or one that does not answer, is found before an approval is used up.
  if (deps.bridge === null) {
    throw new Refusal(
      "no_channel",
      "The account trades through a broker bridge, and none is configured.",
    );
  }
  const { bridge } = deps;
  await withLeave(deps.breakers, "broker.order", async (leave) => {
    await freshPrice(deps, order.symbol);
    const reserved = await reserve(deps, work, channel);
    return reserved.status === "reserved" &&
      await place({ ...deps, bridge }, work, reserved, leave);
  });
}

async function reserve(deps: TradeDeps, work: StepWork, channel: string): Promise<Answer> {
  const { order } = proposedOrder(work);
  return unlessRefused(
    await deps.database.call<Answer>("reserve_effect", {
      p_step_id: work.step_id,
      p_attempt: work.attempt,
      p_lease_token: work.lease_token,
      p_kind: "trade",
      p_channel: channel,
      p_destination: order.account_id,
      p_payload: order,
      p_policy_sha256: deps.policy_sha256,
    }),
  );
}

async function place(
  deps: TradeDeps & { bridge: BrokerBridge },
  work: StepWork,
  reserved: Answer,
  leave: Leave,
): Promise<boolean> {
  const { order } = proposedOrder(work);
  const fence = {
    p_effect_id: reserved.effect_id,
    p_attempt: work.attempt,
    p_lease_token: work.lease_token,
  };
  const key = reserved.idempotency_key!;
  // The leave to call comes before the start: what is refused after it would look like an order that may be out.
  const placed = await deps.tool("broker.order", async () => {
    // What is refused here was put aside or ended by the database itself.
    if ((await deps.database.call<Answer>("start_effect", fence)).refused) return null;
    return await deps.bridge.place({ key, order });
  });
  if (placed === null) return false;
  // The outcome before the counting: a stumble in between must not make it one that nobody saw.
  await confirmEffect(deps.database, {
    ...fence,
    p_outcome: placed.outcome,
    p_receipt: placed.receipt,
  });
  const error = "error" in placed.receipt ? placed.receipt.error : undefined;
  await deps.breakers.report(leave, outcomeOfOrder(placed), error);
  return true;
}
