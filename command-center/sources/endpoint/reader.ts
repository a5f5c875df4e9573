import { z } from "zod";
import type { AgentFact } from "../../facts/agent.ts";
import type { Reader } from "../../truth/reading.ts";
import { type Fetch, get, type HttpAnswer, retryAfter } from "../http-call.ts";
import { parsed } from "../json.ts";
import { type Observation, polled } from "../polled.ts";
import { Unanswered } from "../unanswered.ts";

export interface EndpointScope {
  name: string;
  kind: "openai" | "ollama" | "http";
  /** Where it is; a kind with a path of its own appends that. */
  url: string;
  /** Only of a machine; null where it asks for none. */
  token: string | null;
  expected_status: number;
  /** It sends no Date, and a direct answer is taken for one of now. */
  undated: boolean;
  /** How often an answer is expected; twice as old is stale. */
  every_s: number;
  timeout_ms: number;
}

const max_bytes = 1_048_576;
const names = z.array(z.string().max(200)).max(1000);
const openai = z.object({ data: z.array(z.object({ id: z.string() })) })
  .transform(({ data }) => names.parse(data.map(({ id }) => id)));
const ollama = z.object({ models: z.array(z.object({ name: z.string() })) })
  .transform(({ models }) => names.parse(models.map(({ name }) => name)));

/** A model server or any other service: asked anew at every look, and what it said before is never shown. */
export function endpoint(scope: EndpointScope, fetch: Fetch): Reader<readonly AgentFact[]> {
  const { name, every_s, timeout_ms } = scope;
  const polling = {
    source: `endpoint:${name}`,
    every_s: 0,
    max_age_s: 2 * every_s,
    timeout_ms,
    wait_ms: timeout_ms + 100,
    keep_s: 0,
  };
  return polled(polling, (now, signal) => observe(scope, fetch, now, signal));
}

async function observe(
  scope: EndpointScope,
  fetch: Fetch,
  now: Date,
  signal: AbortSignal,
): Promise<Observation<readonly AgentFact[]>> {
  const { token, timeout_ms, undated, every_s } = scope;
  const headers: Record<string, string> = {
    accept: scope.kind === "http" ? "*/*" : "application/json",
    ...token !== null && { authorization: `Bearer ${token}` },
  };
  const answer = await get(fetch, addressOf(scope), headers, { timeout_ms, max_bytes }, signal);
  const observed_at = answer.said_at ?? (undated ? now.toISOString() : null);
  const health = healthOf(scope, answer, now);
  return {
    observed_at,
    partial: [health.failure, answer.skew].filter((reason) => reason !== null).join("; ") || null,
    value: [{
      name: scope.name,
      kind: "endpoint",
      href: null,
      process: null,
      says: health.says,
      beat_at: observed_at,
      interval_s: every_s,
      last_success_at: health.says === null ? observed_at : null,
      claim: null,
      dependency: null,
      failure: health.failure,
      latency_ms: answer.latency_ms,
      serves: health.serves,
    }],
  };
}

function addressOf({ kind, url }: EndpointScope): string {
  const base = url.replace(/\/+$/, "");
  if (kind === "openai") return `${base}/models`;
  return kind === "ollama" ? `${base}/api/tags` : url;
}

interface Health {
  says: "degraded" | "rate_limited" | null;
  failure: string | null;
  serves: string[] | null;
}

function healthOf(
  { kind, expected_status }: EndpointScope,
  { status, headers, text }: HttpAnswer,
  now: Date,
): Health {
  if (status === 429) {
    const retry_s = retryAfter(headers, now);
    const until = retry_s === null ? "" : `, for ${Math.round(retry_s)} s`;
    return { says: "rate_limited", failure: `it limits the rate (429${until})`, serves: null };
  }
  if (status !== expected_status) {
    const failure = `it answered ${status}, expected ${expected_status}`;
    return { says: "degraded", failure, serves: null };
  }
  return { says: null, failure: null, serves: modelsOf(kind, text) };
}

function modelsOf(kind: EndpointScope["kind"], text: string): string[] | null {
  if (kind === "http") return null;
  if (text === "") throw new Unanswered("its answer is empty");
  return parsed(kind === "openai" ? openai : ollama, text, "the list of models");
}
