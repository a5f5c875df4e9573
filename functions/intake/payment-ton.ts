import type { TonChannel } from "../_channels/ton.ts";
import type { Database } from "../_database/database.ts";
import type { Json } from "../_domain/json.ts";
import { mask } from "../_domain/mask.ts";
import { isRefusalCode } from "../_domain/refusal.ts";
import { parseExact } from "../_domain/telegram-json.ts";
import { type ChainNews, readNews, verifyTransfer } from "../_domain/ton.ts";
import { admit, type Visit } from "../_edge/door.ts";
import { note } from "../_edge/log.ts";
import { refuse, respond } from "../_edge/respond.ts";
import { bearerToken, sameSecret } from "../_edge/secret.ts";
import { checksum } from "./checksum.ts";

const maxBytes = 16 * 1024;

export interface PaymentDeps {
  database: Database;
  /** What the sender of webhooks presents; null where no payments are taken, and then nothing opens this door. */
  webhook_token: string | null;
  /** Our wallet in raw form. */
  wallet: string | null;
  ton: TonChannel | null;
  nudge?: () => void;
}

interface Accepted {
  outcome?: string;
  task_id?: string;
  order_id?: string;
  receipt_id?: number;
  refused?: string;
  reason?: string;
  retry_after?: number;
}

// What was looked at, bad money included, is stored and done with; a sender repeats whatever is not 2xx.
const settled = new Set([
  "invalid_event",
  "payment_unverified",
  "payment_replayed",
  "unknown_order",
  "order_expired",
  "wrong_amount",
]);

/** `POST /intake/payments/ton`: news of a transaction. What it is worth is asked of the chain and of nobody else. */
export async function handlePayment(request: Request, deps: PaymentDeps): Promise<Response> {
  const { webhook_token, wallet, ton } = deps;
  const visit = await admit(request, {
    method: "POST",
    caller: async (caller) =>
      await sameSecret(bearerToken(caller), webhook_token ?? "") ? "ton" : null,
    maxBytes,
  });
  if (visit instanceof Response) return visit;
  if (wallet === null || ton === null) return refuse("no_channel");
  const envelope = await envelopeOf(request, visit);
  const news = newsOf(visit.text);
  if (news === null) return await ignore(request, deps, envelope, "no event that is handled here");
  if (news.account !== wallet) {
    return await ignore(request, deps, envelope, "news of another account");
  }
  const wait = await waitFor(deps.database);
  if (wait !== null) return refuse("rate_limited", { retry_after: wait });
  const payment = { ...envelope, tx_hash: news.tx_hash, lt: news.lt };
  const answer = await ton.transaction(news.tx_hash);
  switch (answer.found) {
    case "unreachable":
      note(request, { outcome: "unreachable" });
      return refuse("unavailable", { reason: `The chain was not seen: ${answer.reason}` });
    case "nothing":
      return await accept(request, deps, {
        ...payment,
        problem: problem("the chain shows no such transaction", true),
      });
    case "transaction": {
      const verified = verifyTransfer(answer.transaction, { ...news, wallet });
      return await accept(
        request,
        deps,
        verified.ok
          ? { ...payment, transfer: { ...verified.transfer } }
          : { ...payment, problem: problem(verified.reason, false) },
      );
    }
  }
}

/** The chain is asked as often as the policy lets everybody together ask. Null, or the seconds until the next time. */
async function waitFor(database: Database): Promise<number | null> {
  const token = await database.call<{ granted?: boolean; retry_after?: number }>(
    "take_tool_token",
    { p_tool: "ton.read" },
  );
  return token.granted === true ? null : token.retry_after ?? 1;
}

const problem = (reason: string, missing: boolean): Json => ({
  code: "payment_unverified",
  reason,
  missing,
});

function newsOf(text: string): ChainNews | null {
  try {
    return readNews(parseExact(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The delivery as it is kept: masked, and without the one character that a table cannot hold. */
const envelopeOf = async (request: Request, visit: Visit<"ton">) => ({
  body: mask(visit.text.replaceAll("\0", "\ufffd").toWellFormed()),
  body_sha256: await checksum(visit.bytes),
  content_type: request.headers.get("content-type")?.slice(0, 200) ?? null,
});

const ignore = (
  request: Request,
  deps: PaymentDeps,
  envelope: Awaited<ReturnType<typeof envelopeOf>>,
  reason: string,
) => accept(request, deps, { ...envelope, ignored: reason });

async function accept(
  request: Request,
  deps: PaymentDeps,
  payment: { [field: string]: Json },
): Promise<Response> {
  const answer = await deps.database.call<Accepted>("accept_payment", { p_payment: payment });
  const { outcome, refused, reason, retry_after, task_id, order_id, receipt_id } = answer;
  if (refused === undefined) {
    note(request, { task_id, outcome });
    deps.nudge?.();
    return respond({ outcome, task_id, order_id, receipt_id });
  }
  if (!isRefusalCode(refused)) throw new Error(`accept_payment refused with ${refused}`);
  note(request, { code: refused, task_id, outcome: outcome ?? "refused" });
  if (!settled.has(refused)) return refuse(refused, { reason, retry_after });
  // The chain's index may be behind its own messages.
  if (retry_after !== undefined) return refuse("unavailable", { reason, receipt_id, retry_after });
  // A refused payment queues a word to its buyer.
  deps.nudge?.();
  return respond({ outcome: outcome ?? "refused", error: refused, reason, task_id, receipt_id });
}
