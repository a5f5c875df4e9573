import { Webhook } from "standardwebhooks";
import { type BrokerAnswer, brokerAnswer, type Placed } from "../_domain/broker.ts";
import type { Order } from "../_domain/order.ts";
import { wasNeverConnected } from "./never-connected.ts";

export interface BrokerBridge {
  /** Sends an order once and waits for its final answer; where none is seen in time the outcome is unknown. */
  place(order: { key: string; order: Order }): Promise<Placed>;
}

export interface BridgeOptions {
  /** Where orders are posted; the state of one is asked at `<url>/<key>`. */
  url: string;
  /** `whsec_…`, known to both ends. */
  secret: string;
  fetch: typeof globalThis.fetch;
  now: () => Date;
  wait: (milliseconds: number) => Promise<void>;
  timeoutMs?: number;
  pollMs?: number;
  /** How long one order may take in all: shorter than the lease that covers the call. */
  patienceMs?: number;
}

const longest = 16_384;

type Seen =
  | { kind: "final"; answer: BrokerAnswer }
  | { kind: "accepted" }
  | {
    kind: "not_sent";
    retry_after?: number;
    error: string;
    unreached?: true;
  }
  | { kind: "refused"; error: string }
  | { kind: "unseen"; error: string };

/**
 * Orders to a broker's bridge that the user owns, per Standard Webhooks: signed over id, time and body, the id being
 * the order's idempotency key. A body that streams cannot be sent a second time by the runtime.
 */
export function brokerBridge(options: BridgeOptions): BrokerBridge {
  const { url, secret, fetch, now, wait } = options;
  const { timeoutMs = 10_000, pollMs = 2_000, patienceMs = 45_000 } = options;
  const webhook = new Webhook(secret);

  async function call(method: "POST" | "GET", path: string, key: string, body: string) {
    const at = now();
    const headers = {
      "content-type": "application/json",
      "idempotency-key": key,
      "webhook-id": key,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": webhook.sign(key, at, body),
    };
    const stream = method === "POST" ? { body: new Blob([body]).stream(), duplex: "half" } : {};
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        headers,
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
        ...stream,
      } as RequestInit);
    } catch (error) {
      return wasNeverConnected(error)
        ? {
          kind: "not_sent",
          error: "the broker bridge could not be reached",
          unreached: true,
        } as const
        : { kind: "unseen", error: "the connection ended before an answer" } as const;
    }
    return await read(response);
  }

  return {
    async place({ key, order }) {
      const until = now().getTime() + patienceMs;
      let seen: Seen = await call("POST", url, key, JSON.stringify({ key, order }));
      if (seen.kind === "not_sent") {
        const { retry_after, error, unreached } = seen;
        return {
          outcome: "not_sent",
          receipt: retry_after === undefined ? { error } : { retry_after, error },
          ...(unreached ? { unreached } : {}),
        };
      }
      // It has the order. Only its own word says what became of it; a question that fails is asked again.
      while (seen.kind === "accepted" && now().getTime() + pollMs < until) {
        await wait(pollMs);
        const asked: Seen = await call("GET", `${url}/${encodeURIComponent(key)}`, key, "");
        if (asked.kind === "final") seen = asked;
      }
      switch (seen.kind) {
        case "final":
          return seen.answer.status === "filled"
            ? { outcome: "confirmed", receipt: seen.answer }
            : {
              outcome: "failed",
              receipt: { status: "rejected", error: seen.answer.reason ?? "the broker refused it" },
            };
        case "refused":
          return { outcome: "failed", receipt: { status: "rejected", error: seen.error } };
        case "accepted":
          return {
            outcome: "unknown",
            receipt: { error: "the broker took the order and gave no outcome in time" },
          };
        default:
          return { outcome: "unknown", receipt: { error: seen.error } };
      }
    },
  };
}

async function read(response: Response): Promise<Seen> {
  const { status } = response;
  if (status === 202) {
    await response.body?.cancel();
    return { kind: "accepted" };
  }
  if (status === 429) {
    await response.body?.cancel();
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    const error = "the broker bridge asks to wait";
    return Number.isFinite(seconds) && seconds >= 0
      ? { kind: "not_sent", retry_after: Math.ceil(seconds), error }
      : { kind: "not_sent", error };
  }
  let text: string;
  try {
    text = (await response.text()).slice(0, longest);
  } catch (_) {
    return { kind: "unseen", error: "the answer broke off" };
  }
  if (response.ok) {
    const answer = brokerAnswer.safeParse(parsed(text));
    return answer.success
      ? { kind: "final", answer: answer.data }
      : { kind: "unseen", error: "the answer is not one that can be read" };
  }
  // A refusal with a reason is certainly not done; a server that stumbled, timed out or saw the key before may have done it.
  const isCertain = status >= 400 && status < 500 && ![408, 409, 425].includes(status);
  return isCertain
    ? { kind: "refused", error: `the broker bridge answered ${status}` }
    : { kind: "unseen", error: `the broker bridge answered ${status}` };
}

/** Null for what is no JSON; the schema says the rest. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export type ReportVerifier = (headers: Headers, body: string) => boolean;

/** Whether a report was signed with our secret within the last five minutes; the library compares in constant time. */
export function reportVerifier(secret: string): ReportVerifier {
  const webhook = new Webhook(secret);
  return (headers, body) => {
    const named = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
      [name, headers.get(name) ?? ""] as const
    );
    try {
      webhook.verify(body, Object.fromEntries(named), { jsonParse: false });
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === "WebhookVerificationError") return false;
      throw error;
    }
  };
}
