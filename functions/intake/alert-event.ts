import { type Alert, parseAlert } from "../_domain/alert.ts";
import type { Visit } from "../_edge/door.ts";
import type { NamedToken } from "../_edge/secret.ts";
import { checksum } from "./checksum.ts";
import type { AcceptedEvent } from "./handler.ts";

/** What an alert asks for, under the name of its token. An unusable one is an event too: its receipt is kept. */
export async function alertEvent(
  visit: Visit<NamedToken>,
  action: string,
  contentType: string | null,
): Promise<AcceptedEvent> {
  const { name } = visit.caller;
  const read = parseAlert(visit.text);
  return {
    source: "tradingview",
    source_name: name,
    source_event_id: read.ok ? read.alert.alert_id : null,
    body_sha256: await checksum(visit.bytes),
    body: read.clean_body,
    content_type: contentType,
    actor: `tradingview:${name}`,
    goal: read.ok ? goalOf(read.alert) : "Read an alert",
    action,
    payload: read.ok ? { alert: { ...read.alert } } : {},
    ...(read.ok ? {} : { problem: { code: read.code, reason: read.reason } }),
  };
}

const verbs = {
  exit: "Tell members that a position is left",
  take_profit: "Tell members that a target is reached",
  close: "Tell members that a position is closed",
  notice: "Tell members what an alert says",
} as const;

/** One sentence for the people who will read it on a card; every figure stays in the alert. */
function goalOf(alert: Alert): string {
  const venue = alert.exchange === null ? alert.symbol : `${alert.exchange}:${alert.symbol}`;
  const what = alert.kind === "entry"
    ? `Publish a ${alert.side === null ? "" : `${alert.side} `}signal`
    : verbs[alert.kind];
  const frame = alert.timeframe === null ? "" : ` on ${alert.timeframe}`;
  const strategy = alert.strategy === null ? "" : `, from ${alert.strategy}`;
  return `${what}: ${venue}${frame}${strategy}`.replace(/[\p{C}\s]+/gu, " ")
    .slice(0, 500);
}
