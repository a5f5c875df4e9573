import { z } from "zod";
import type { Json } from "../_domain/json.ts";
import { withoutSecrets } from "../_domain/alert-secret.ts";
import { maskSecrets } from "../_domain/mask.ts";
import type { Visit } from "../_edge/door.ts";
import { checksum } from "./checksum.ts";
import type { AcceptedEvent } from "./handler.ts";
import { storable } from "./storable.ts";

// One line for people: no control character may forge a second one in a card or a log.
const line = (most: number) => z.string().trim().min(1).max(most).regex(/^\P{C}*$/u);

// Both are kept as they were sent, since others compare them.
const harmless = [(text: string) => maskSecrets(text) === text, "holds a secret"] as const;

/** The action is only bounded here: whether the policy knows it is for the database to say. */
const taskRequest = z.strictObject({
  source: z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/),
  source_event_id: line(200).refine(...harmless).nullish(),
  actor: line(128).refine(...harmless),
  goal: z.string().trim().min(1).max(500),
  action: line(64),
  payload: z.record(z.string(), z.unknown()).default({}),
});

type TaskEvent = { ok: true; event: AcceptedEvent } | {
  ok: false;
  reason: string;
};
type Read = { ok: true; request: z.infer<typeof taskRequest> } | {
  ok: false;
  reason: string;
};

function readRequest(text: string): Read {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) {
      return { ok: false, reason: "the body is not JSON" };
    }
    throw error;
  }
  const trouble = storable(value);
  if (trouble !== null) return { ok: false, reason: trouble };
  const read = taskRequest.safeParse(value);
  if (read.success) return { ok: true, request: read.data };
  const [issue] = read.error.issues;
  return {
    ok: false,
    reason: `${issue.path.join(".") || "the request"}: ${issue.message}`,
  };
}

/**
 * A normalized request, strict: a misspelled field is refused, for silence could mean another action. Goal and payload
 * are kept without their secrets, like any body; who asks for what stays as it was sent.
 */
export async function taskEvent(
  visit: Visit<"service">,
  contentType: string | null,
): Promise<TaskEvent> {
  const read = readRequest(visit.text);
  if (!read.ok) return read;
  const body = withoutSecrets(visit.text);
  const clean = readRequest(body);
  if (!clean.ok) {
    return {
      ok: false,
      reason: "the request holds a secret that cannot be taken out of it",
    };
  }
  const { source, source_event_id, actor, action } = read.request;
  return {
    ok: true,
    event: {
      source,
      source_name: "tasks",
      source_event_id: source_event_id ?? null,
      actor,
      goal: clean.request.goal,
      action,
      payload: clean.request.payload as Json,
      body,
      body_sha256: await checksum(visit.bytes),
      content_type: contentType,
    },
  };
}
