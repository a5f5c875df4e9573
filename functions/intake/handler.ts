import { type Database, DatabaseError } from "../_database/database.ts";
import type { Json } from "../_domain/json.ts";
import { isRefusalCode } from "../_domain/refusal.ts";
import { admit, type Door, serviceCaller, type Visit } from "../_edge/door.ts";
import { note } from "../_edge/log.ts";
import { pathBelow } from "../_edge/path.ts";
import { refuse, respond } from "../_edge/respond.ts";
import { type NamedToken, whoseToken } from "../_edge/secret.ts";
import { alertEvent } from "./alert-event.ts";
import { type BrokerReportDeps, brokerReportDoor } from "./broker-report.ts";
import { handlePayment, type PaymentDeps } from "./payment-ton.ts";
import { taskEvent } from "./task-event.ts";

const maxBytes = 16 * 1024;

export interface IntakeDeps {
  database: Database;
  tokens: readonly NamedToken[];
  service_token: string;
  /** What a TradingView alert asks for, by the policy; without a valid one it is stored all the same. */
  alert_action: string;
  /** Called after a new task, not awaited: whoever plans need not wait for the next tick. */
  nudge?: () => void;
  /** The doors of payments and of a broker; each is closed where it is not configured. */
  payments: Pick<PaymentDeps, "webhook_token" | "wallet" | "ton">;
  broker: Pick<BrokerReportDeps, "verify">;
}

/** What `api.accept_event` takes. `body` is the delivery without its secrets, `body_sha256` that of the delivery as it came. */
export interface AcceptedEvent {
  source: string;
  source_name: string;
  source_event_id: string | null;
  body_sha256: string;
  body: string;
  content_type: string | null;
  actor: string;
  goal: string;
  action: string;
  payload: Json;
  problem?: { code: string; reason: string };
}

interface Accepted {
  task_id?: string;
  status?: string;
  duplicate?: boolean;
  refused?: string;
  reason?: string;
  receipt_id?: number;
  retry_after?: number;
}

/**
 * The way in: a TradingView alert under its source's token, or a normalized request under the service token. One
 * database call, then the answer; planning happens later. 2xx means stored, and bad input is never a 5xx, for
 * TradingView repeats those.
 */
export async function handle(
  request: Request,
  deps: IntakeDeps,
): Promise<Response> {
  const [way, token, ...rest] = pathBelow(request, "intake") ?? [];
  if (way === "tradingview" && token !== undefined && rest.length === 0) {
    const visit = await admit(
      request,
      door(() => whoseToken(token, deps.tokens)),
    );
    if (visit instanceof Response) return visit;
    return await accept(
      request,
      deps,
      await alertEvent(visit, deps.alert_action, typeOf(request)),
    );
  }
  if (way === "tasks" && token === undefined) {
    const visit: Visit<"service"> | Response = await admit(
      request,
      door(serviceCaller(deps.service_token)),
    );
    if (visit instanceof Response) return visit;
    const read = await taskEvent(visit, typeOf(request));
    if (!read.ok) return refuse("invalid_request", { reason: read.reason });
    return await accept(request, deps, read.event);
  }
  if (way === "payments" && token === "ton" && rest.length === 0) {
    return await handlePayment(request, { ...deps, ...deps.payments });
  }
  if (way === "broker" && token === undefined) {
    return await brokerReportDoor(request, { ...deps, ...deps.broker });
  }
  return refuse("not_found");
}

const door = <Caller>(caller: Door<Caller>["caller"]): Door<Caller> => ({
  method: "POST",
  caller,
  maxBytes,
});

const typeOf = (request: Request): string | null =>
  request.headers.get("content-type")?.slice(0, 200) ?? null;

async function accept(
  request: Request,
  deps: IntakeDeps,
  event: AcceptedEvent,
): Promise<Response> {
  let accepted: Accepted;
  try {
    accepted = await deps.database.call<Accepted>("accept_event", {
      p_event: event,
    });
  } catch (error) {
    // Class 22 is data that Postgres cannot hold: the sender's fault, and a 5xx would bring it back three times.
    if (error instanceof DatabaseError && error.code.startsWith("22")) {
      return refuse("invalid_request", {
        reason: "the body holds a value that cannot be stored",
      });
    }
    throw error;
  }
  const {
    task_id,
    status,
    duplicate,
    refused,
    reason,
    receipt_id,
    retry_after,
  } = accepted;
  if (refused !== undefined) {
    if (!isRefusalCode(refused)) {
      throw new Error(`accept_event refused with ${refused}`);
    }
    return refuse(refused, { reason, receipt_id, retry_after });
  }
  note(request, { task_id, outcome: duplicate ? "duplicate" : "accepted" });
  if (!duplicate) deps.nudge?.();
  return respond({ task_id, status, duplicate }, duplicate ? 200 : 202);
}
