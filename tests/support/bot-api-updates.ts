import { type Answer, done, fault } from "./bot-api-wire.ts";

export type WireUpdate = { update_id: number } & Record<string, unknown>;
export interface Webhook {
  url: string;
  secret_token: string | undefined;
  allowed_updates: string[] | undefined;
}

/** What a webhook answered, and the method it asked for in its body, if any. */
export interface Push {
  update_id: number;
  status: number;
  body: unknown;
}

/** How long a refused update waits before it is pushed again; short, since tests wait for it. */
const retryMs = 50;
const attempts = 40;

/**
 * The queue of updates. They leave by long polling or by webhook, never by both, in order; a webhook that does not
 * answer 2xx gets the same update again and those behind it wait.
 */
export class Updates {
  webhook: Webhook | null = null;
  readonly pushes: Push[] = [];
  lastError: string | undefined;
  #queue: WireUpdate[] = [];
  #next = 1;
  #waiting = new Set<() => void>();
  #pushing = Promise.resolve();
  #closed = false;

  constructor(readonly execute: (method: string, parameters: Record<string, unknown>) => void) {}

  /** Adds an update under the next id; an `update_id` of its own is kept, to repeat one. */
  add(update: Record<string, unknown>): Promise<void> {
    const update_id = typeof update.update_id === "number" ? update.update_id : this.#next++;
    const wire = { ...update, update_id };
    if (this.webhook) {
      this.#pushing = this.#pushing.then(() => this.#push(wire));
      return this.#pushing;
    }
    this.#queue.push(wire);
    for (const wake of [...this.#waiting]) wake();
    return Promise.resolve();
  }

  async poll(parameters: Record<string, unknown>, gone: AbortSignal): Promise<Answer> {
    if (this.webhook) {
      return fault(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    const offset = Number(parameters.offset ?? 0);
    // What lies below the offset is confirmed and forgotten, as with Telegram.
    this.#queue = this.#queue.filter((update) => update.update_id >= offset);
    if (this.#queue.length === 0) await this.#arrival(Number(parameters.timeout ?? 0), gone);
    const limit = Math.min(Number(parameters.limit ?? 100), 100);
    return done(this.#queue.filter((update) => update.update_id >= offset).slice(0, limit));
  }

  get pending(): number {
    return this.#queue.length;
  }

  close(): void {
    this.#closed = true;
    for (const wake of [...this.#waiting]) wake();
  }

  #arrival(seconds: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, seconds * 1000);
      gone.addEventListener("abort", wake, { once: true });
      this.#waiting.add(wake);
    });
  }

  async #push(update: WireUpdate): Promise<void> {
    for (let left = attempts; left > 0 && !this.#closed && this.webhook; left--) {
      const push = await this.#deliver(this.webhook, update);
      if (push !== null) this.pushes.push(push);
      if (push !== null && push.status >= 200 && push.status < 300) {
        const { method, ...parameters } = Object(push.body) as Record<string, unknown>;
        if (typeof method === "string") this.execute(method, parameters);
        return;
      }
      this.lastError = push === null
        ? "Connection refused"
        : `Wrong response from the webhook: ${push.status}`;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  async #deliver(webhook: Webhook, update: WireUpdate): Promise<Push | null> {
    try {
      const response = await fetch(webhook.url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(webhook.secret_token
            ? { "x-telegram-bot-api-secret-token": webhook.secret_token }
            : {}),
        },
        body: JSON.stringify(update),
      });
      const text = await response.text();
      return { update_id: update.update_id, status: response.status, body: json(text) };
    } catch (error) {
      // fetch reports every broken connection as a TypeError; the webhook is tried again.
      if (error instanceof TypeError) return null;
      throw error;
    }
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
