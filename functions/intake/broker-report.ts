import type { ReportVerifier } from "../_channels/broker-bridge.ts";
import type { Database } from "../_database/database.ts";
import { brokerReport } from "../_domain/broker.ts";
import { isRefusalCode } from "../_domain/refusal.ts";
import { readBody } from "../_edge/body.ts";
import { note } from "../_edge/log.ts";
import { refuse, respond } from "../_edge/respond.ts";

export interface BrokerReportDeps {
  database: Database;
  /** Null where no broker bridge is configured: then there is no such door. */
  verify: ReportVerifier | null;
}

interface Answer {
  refused?: string;
  reason?: string;
  status?: string;
  duplicate?: boolean;
  task_id?: string;
}

const maxBytes = 16 * 1024;

function read(text: string): ReturnType<typeof brokerReport.safeParse> {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return brokerReport.safeParse(value);
}

/**
 * `POST /intake/broker`: what became of an order, signed per Standard Webhooks. The signature is over the body, so a
 * bounded body is read before anybody is believed, and nothing of it is looked at before that.
 */
export async function brokerReportDoor(
  request: Request,
  { database, verify }: BrokerReportDeps,
): Promise<Response> {
  if (verify === null) return refuse("not_found");
  if (request.method !== "POST") return refuse("method_not_allowed", {}, { allow: "POST" });
  const body = await readBody(request, maxBytes);
  if (!body.ok) return refuse(body.code, { reason: body.reason });
  if (!verify(request.headers, body.text)) return refuse("unauthorized");
  const report = read(body.text);
  if (!report.success) {
    const [issue] = report.error.issues;
    return refuse("invalid_request", {
      reason: `${issue.path.join(".") || "the report"}: ${issue.message}`,
    });
  }
  const answer = await database.call<Answer>("accept_broker_report", { p_report: report.data });
  if (answer.refused !== undefined) {
    if (!isRefusalCode(answer.refused)) {
      throw new Error(`accept_broker_report refused with ${answer.refused}`);
    }
    return refuse(answer.refused, { reason: answer.reason });
  }
  note(request, {
    task_id: answer.task_id,
    outcome: answer.duplicate ? "duplicate" : "accepted",
  });
  return respond({ status: answer.status, duplicate: answer.duplicate ?? false });
}
