import type { z } from "zod";
import { gate } from "../gate.ts";
import { type Fetch, get, type HttpAnswer, retryAfter } from "../http-call.ts";
import { parsed } from "../json.ts";
import { Unanswered } from "../unanswered.ts";
import { identity } from "./wire.ts";

export interface GiteaAccess {
  base_url: string;
  token: string;
  /** The login that the token must belong to. */
  machine_account: string;
  page_size: number;
  max_pages: number;
  concurrency: number;
  call_timeout_ms: number;
  max_bytes: number;
}

export interface Page<T> {
  rows: T[];
  is_whole: boolean;
}

/** The times that the answers of one round carried, and what is wrong with them. */
export type Times = Pick<HttpAnswer, "said_at" | "skew">[];

interface Remembered {
  etag: string;
  text: string;
  headers: Headers;
}

/** So many answers are remembered to be asked after by their ETag; beyond that the oldest is forgotten. */
const remembered_most = 400;
const remembered_chars = 262_144;
/** A server that limits without saying for how long is left alone for a minute. */
const limited_s = 60;
/** Whose token it is, is asked again after this long. */
const identity_lasts_ms = 600_000;

/** One server, one machine account: bounded in pages, bytes, time and in how much is asked at once. GET only. */
export class GiteaClient {
  readonly #access: GiteaAccess;
  readonly #fetch: Fetch;
  readonly #through: ReturnType<typeof gate>;
  readonly #remembered = new Map<string, Remembered>();
  #identified_at = -Infinity;

  constructor(access: GiteaAccess, fetch: Fetch) {
    this.#access = access;
    this.#fetch = fetch;
    this.#through = gate(access.concurrency);
  }

  /** Throws where the token is not the machine account's. There is no other token to fall back on. */
  async identify(now: Date, signal: AbortSignal): Promise<void> {
    const age_ms = now.getTime() - this.#identified_at;
    if (age_ms >= 0 && age_ms < identity_lasts_ms) return;
    const { machine_account } = this.#access;
    const { status, text } = await this.#call("/user", now, signal);
    if (status === 403) {
      throw new Unanswered("whose token it is cannot be told: it lacks the scope read:user");
    }
    if (status !== 200) throw refused(status);
    const { login } = parsed(identity, text, "the account");
    if (login.toLowerCase() !== machine_account.toLowerCase()) {
      throw new Unanswered("the token is not that of the machine account");
    }
    this.#identified_at = now.getTime();
  }

  /** One object; null where the answer has no body, which is how a commit without checks is answered. */
  async one<T>(
    schema: z.ZodType<T>,
    path: string,
    what: string,
    { now, times, signal }: Round,
  ): Promise<{ value: T | null; more: (read: number) => More }> {
    const answer = await this.#call(path, now, signal);
    if (answer.status !== 200) throw refused(answer.status);
    times.push(answer);
    const more = (read: number) => moreAfter(answer.headers, read);
    if (answer.text.trim() === "") return { value: null, more };
    return { value: parsed(schema, answer.text, what), more };
  }

  /** A list over its pages, up to the bound. The server may give shorter pages than asked for, so the length of a page says nothing. */
  async list<T>(
    schema: z.ZodType<T[]>,
    path: string,
    what: string,
    { now, times, signal }: Round,
  ): Promise<Page<T>> {
    const { page_size, max_pages } = this.#access;
    const rows: T[] = [];
    for (let page = 1; page <= max_pages; page++) {
      const join = path.includes("?") ? "&" : "?";
      const answer = await this.#call(
        `${path}${join}limit=${page_size}&page=${page}`,
        now,
        signal,
      );
      if (answer.status !== 200) throw refused(answer.status);
      times.push(answer);
      const found = parsed(schema, answer.text, what);
      rows.push(...found);
      const more = moreAfter(answer.headers, rows.length);
      if (more === "none") return { rows, is_whole: true };
      if (found.length === 0) return { rows, is_whole: more === "unsaid" };
    }
    return { rows, is_whole: false };
  }

  async #call(path: string, now: Date, signal: AbortSignal): Promise<HttpAnswer> {
    const { base_url, token, call_timeout_ms, max_bytes } = this.#access;
    const known = this.#remembered.get(path);
    const headers: Record<string, string> = {
      accept: "application/json",
      authorization: `token ${token}`,
      ...known && { "if-none-match": known.etag },
    };
    const answer = await this.#through(() => {
      signal.throwIfAborted();
      const limits = { timeout_ms: call_timeout_ms, max_bytes };
      return get(this.#fetch, `${base_url}/api/v1${path}`, headers, limits, signal);
    });
    const { status } = answer;
    if (status === 304) {
      if (known === undefined) throw new Unanswered("it answered that nothing changed, unasked");
      return { ...answer, status: 200, text: known.text, headers: known.headers };
    }
    if (status === 429 || status >= 500) {
      const limited = status === 429;
      throw new Unanswered(
        limited ? "it limits the rate of questions (429)" : `it answered ${status}`,
        retryAfter(answer.headers, now) ?? (limited ? limited_s : null),
      );
    }
    if (status === 200) this.#remember(path, answer);
    return answer;
  }

  #remember(path: string, { text, headers }: HttpAnswer): void {
    const etag = headers.get("etag");
    this.#remembered.delete(path);
    if (etag === null || etag.length > 256 || text.length > remembered_chars) return;
    this.#remembered.set(path, { etag, text, headers });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > remembered_most && oldest !== undefined) {
      this.#remembered.delete(oldest);
    }
  }
}

export interface Round {
  now: Date;
  times: Times;
  signal: AbortSignal;
}

function refused(status: number): Unanswered {
  if (status === 401) return new Unanswered("it does not take the token (401)");
  if (status === 403) return new Unanswered("the token may not read this (403)");
  if (status === 404) return new Unanswered("it is not there, or hidden from the token (404)");
  return new Unanswered(`it answered ${status}`);
}

export type More = "some" | "none" | "unsaid";

/** Whether there is more: by the link, else by the count; with neither, only an empty page is the end. */
function moreAfter(headers: Headers, read: number): More {
  const link = headers.get("link");
  if (link !== null && /\brel="?next"?/.test(link)) return "some";
  const total = headers.get("x-total-count");
  if (total !== null && /^\d{1,9}$/.test(total)) return Number(total) > read ? "some" : "none";
  return link === null ? "unsaid" : "none";
}
