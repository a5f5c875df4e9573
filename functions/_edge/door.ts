import { Refusal } from "../_domain/refusal.ts";
import { readBody } from "./body.ts";
import { factsOf, type LogSink, writeLog } from "./log.ts";
import { refusalOf, refuse } from "./respond.ts";
import { bearerToken, sameSecret } from "./secret.ts";

/** Who may come in and with how much. `caller` answers null for a stranger. */
export interface Door<Caller> {
  method: string;
  caller: (request: Request) => Promise<Caller | null>;
  maxBytes: number;
}

export interface Visit<Caller> {
  caller: Caller;
  bytes: Uint8Array;
  text: string;
}

/** Method, then caller, then size: a stranger learns nothing about bodies, and no body is read for one. */
export async function admit<Caller>(
  request: Request,
  door: Door<Caller>,
): Promise<Visit<Caller> | Response> {
  if (request.method !== door.method) {
    return refuse("method_not_allowed", {}, { allow: door.method });
  }
  const caller = await door.caller(request);
  if (caller === null) return refuse("unauthorized");
  const body = await readBody(request, door.maxBytes);
  if (!body.ok) return refuse(body.code, { reason: body.reason });
  return { caller, bytes: body.bytes, text: body.text };
}

/** A caller that presents the service token as `Authorization: Bearer …`. */
export const serviceCaller =
  (serviceToken: string) => async (request: Request): Promise<"service" | null> =>
    await sameSecret(bearerToken(request), serviceToken) ? "service" : null;

export interface Watch {
  log: LogSink;
  now: () => Date;
}

/**
 * A handler as the server calls it: one log line per request, and no error gets past. A thrown `Refusal` (a lost
 * database is `unavailable`) answers under its own status; anything else is logged once, here, and the caller sees
 * `internal` and nothing about the inside.
 */
export function watched(
  name: string,
  watch: Watch,
  handler: (request: Request) => Promise<Response>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const started = watch.now().getTime();
    let response: Response;
    let error: string | undefined;
    try {
      response = await handler(request);
    } catch (thrown) {
      if (thrown instanceof Refusal) {
        response = refuse(thrown.code, { reason: thrown.detail });
      } else {
        error = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
        response = refuse("internal");
      }
    }
    const now = watch.now();
    const facts = factsOf(request);
    writeLog(watch.log, now, {
      ...facts,
      code: facts.code ?? refusalOf(response) ?? undefined,
      function: name,
      status: response.status,
      ms: now.getTime() - started,
      error,
    });
    return response;
  };
}
