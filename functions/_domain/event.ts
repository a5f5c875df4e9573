import { z } from "zod";

/** The types of schema 1.0, byte for byte. */
export const firstEventTypes = [
  "TASK_CREATED",
  "STEP_READY",
  "STEP_DONE",
  "NEED_APPROVAL",
  "PUBLISH_OK",
  "INCIDENT_RAISED",
] as const;
/** What schema 1.1 added. */
export const laterEventTypes = [
  "TASK_PLANNED",
  "STEP_FAILED",
  "EVALUATED",
  "APPROVAL_DECIDED",
  "EFFECT_RESERVED",
  "EFFECT_SENT",
  "EFFECT_CONFIRMED",
  "EFFECT_UNKNOWN",
  "EFFECT_FAILED",
  "TASK_REJECTED",
  "TASK_FAILED",
  "TASK_ARCHIVED",
] as const;
export const eventTypes = [...firstEventTypes, ...laterEventTypes] as const;
export type EventType = typeof eventTypes[number];

const version = /^1\.(0|[1-9]\d{0,3})$/;

const envelope = z.object({
  schema_version: z.string().regex(version, "another major version"),
  event_id: z.uuid(),
  event_type: z.enum(eventTypes),
  task_id: z.string().regex(/^T-\d{4}-\d{2}-\d{2}-\d{4,}$/).max(40).nullable(),
  agent: z.string().min(1).max(128),
  ts: z.iso.datetime(),
  payload: z.record(z.string(), z.unknown()),
  idempotency_key: z.string().min(1).max(1024),
});
export type Event = z.infer<typeof envelope>;

const reference = z.string().min(1).max(1024);

/** What a finished step tells; a step that nobody had to work on has neither inputs nor a score. */
export const stepDone = z.looseObject({
  inputs_ref: reference.optional(),
  outputs_ref: reference.optional(),
  quality_score: z.number().min(0).max(1).optional(),
});

const payloads: { readonly [type in EventType]?: z.ZodType } = { STEP_DONE: stepDone };

export type EventReading =
  | { ok: true; event: Event }
  | { ok: false; code: "invalid_event"; reason: string };

const refused = (reason: string): EventReading => ({ ok: false, code: "invalid_event", reason });

const where = ({ issues: [issue] }: z.ZodError, above: string[] = []): EventReading =>
  refused(`${[...above, ...issue!.path].join(".") || "the event"}: ${issue!.message}`);

/**
 * Reads an event by its envelope. Another major version is another language and refused; a later minor one may have
 * more fields, which are left out, and in a payload left alone. A type is known from its own version on.
 */
export function readEvent(value: unknown): EventReading {
  const read = envelope.safeParse(value);
  if (!read.success) return where(read.error);
  const { schema_version, event_type, task_id, payload } = read.data;
  const isFirst = (firstEventTypes as readonly string[]).includes(event_type);
  if (schema_version === "1.0" && !isFirst) return refused(`1.0 has no ${event_type}`);
  if (task_id === null && event_type !== "INCIDENT_RAISED") {
    return refused(`${event_type} without a task`);
  }
  const content = payloads[event_type]?.safeParse(payload);
  return content?.error ? where(content.error, ["payload"]) : { ok: true, event: read.data };
}
