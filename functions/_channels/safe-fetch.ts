import ipaddr from "ipaddr.js";
import { Refusal } from "../_domain/refusal.ts";
import { AnsweredRefusal } from "./never-connected.ts";

export interface SafeFetchOptions {
  /** Host names, as in a URL, that whoever runs this has named: they may be private and spoken to without TLS. */
  allowed_hosts?: readonly string[];
  /** With a list, whether a host that is not on it is refused. Closes what a changing name leaves open. */
  only_allowed_hosts?: boolean;
  /** All addresses of a name, of both families. Throws or answers nothing for a name that has none. */
  resolve: (host: string) => Promise<string[]>;
  fetch: typeof globalThis.fetch;
  max_bytes: number;
  timeout_ms: number;
}

const denied = (why: string): Refusal => new Refusal("url_denied", why);

const answerDenied = (why: string): AnsweredRefusal => new AnsweredRefusal("url_denied", why);

/** Addresses of the world at large. Whatever is not plainly that is refused, so a range that is new is, too. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.IPv6.isValid(text) && !ipaddr.IPv4.isValidFourPartDecimal(text)) return false;
  // An IPv4 address in IPv6 clothes is judged as what it is.
  const address = ipaddr.process(text);
  if (address.range() !== "unicast") return false;
  if (address.kind() === "ipv4") return true;
  const { parts } = address as ipaddr.IPv6;
  // Global unicast alone; 2001:db8 and its like are told by range(), what embeds an IPv4 address is not.
  const isIsatap = (parts[4] & 0xfdff) === 0 && parts[5] === 0x5efe;
  return (parts[0] & 0xe000) === 0x2000 && !isIsatap;
}

function readUrl(input: string | URL | Request): URL {
  const text = input instanceof Request ? input.url : String(input);
  if (!URL.canParse(text)) throw denied("This is no URL.");
  return new URL(text);
}

const bare = (host: string): string =>
  host.toLowerCase().replace(/^\[|\]$/g, "").replace(/\.$/, "");

async function resolved(host: string, options: SafeFetchOptions): Promise<string[]> {
  if (ipaddr.isValid(host)) return [host];
  try {
    return await options.resolve(host);
  } catch {
    // Which of the many ways a name failed is nobody's business outside.
    return [];
  }
}

/** Why this URL must not be asked for, as a refusal that is thrown; nothing where it may. */
async function check(url: URL, options: SafeFetchOptions): Promise<void> {
  const host = bare(url.hostname);
  const isAllowed = (options.allowed_hosts ?? []).some((name) => bare(name) === host);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isAllowed)) {
    throw denied("Only https is spoken; http only to a host that was named.");
  }
  if (url.username !== "" || url.password !== "") throw denied("A URL carries no credentials.");
  if (isAllowed) return;
  if (url.port !== "") throw denied("Only the usual port of https is called.");
  if (options.only_allowed_hosts) throw denied("This host was not named.");
  if (host === "" || !/^[a-z0-9.:_-]{1,253}$/.test(host)) throw denied("This is no host.");
  const addresses = await resolved(host, options);
  if (addresses.length === 0) throw denied("The host has no address.");
  // One private address among public ones is enough: which of them would be taken is not for us to say.
  if (!addresses.every(isPublicAddress)) throw denied("The host is not on the public internet.");
}

/** The answer with its body behind a counter: what is longer than the cap breaks off while it is read. */
function capped(response: Response, most: number, end: () => void): Response {
  if (Number(response.headers.get("content-length") ?? 0) > most) {
    end();
    throw answerDenied(`The answer is longer than ${most} bytes.`);
  }
  if (response.body === null) {
    end();
    return response;
  }
  let size = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(part, controller) {
      size += part.byteLength;
      if (size > most) {
        controller.error(answerDenied(`The answer is longer than ${most} bytes.`));
        end();
      } else controller.enqueue(part);
    },
    flush: end,
  });
  return new Response(response.body.pipeThrough(counter), {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
  });
}

/**
 * A fetch for URLs that data can influence. It resolves the name and refuses whatever is not public, follows no
 * redirect, counts the answer and gives up in time. What it cannot do: fetch resolves the name once more and takes no
 * address of ours, neither under Deno nor under Node, so a name that changes between the two looks gets through (the
 * second look makes that window short). Naming the hosts (`only_allowed_hosts`) or an egress rule closes it.
 */
export function safeFetch(options: SafeFetchOptions): typeof globalThis.fetch {
  return async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = readUrl(input);
    await check(url, options);
    const ending = new AbortController();
    const timer = setTimeout(
      () => ending.abort(new DOMException("The answer took too long.", "TimeoutError")),
      options.timeout_ms,
    );
    const end = () => clearTimeout(timer);
    const theirs = init?.signal ?? (input instanceof Request ? input.signal : null);
    try {
      const answer = await options.fetch(input instanceof Request ? input : url, {
        ...init,
        redirect: "manual",
        signal: theirs ? AbortSignal.any([theirs, ending.signal]) : ending.signal,
      });
      if (answer.type === "opaqueredirect" || (answer.status >= 300 && answer.status < 400)) {
        await answer.body?.cancel();
        throw answerDenied("A redirect is not followed.");
      }
      // A name that answered differently meanwhile is one that changes: what came from it is not read.
      await check(url, options).catch(async (refusal) => {
        ending.abort();
        await answer.body?.cancel().catch(() => undefined);
        throw refusal instanceof Refusal ? answerDenied(refusal.detail ?? refusal.code) : refusal;
      });
      return capped(answer, options.max_bytes, () => {
        end();
        ending.abort();
      });
    } catch (error) {
      end();
      throw error;
    }
  };
}

/** The longest answer of a service that the owner has configured, and how long one may take. */
const most = { bytes: 1024 * 1024, milliseconds: 30_000 };

/**
 * A fetch that speaks with the host of one configured URL and no other, whatever a path, a symbol or a redirect says. The
 * owner named it, so it may be in the owner's own network.
 */
export const fetchFrom = (url: string, fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
  safeFetch({
    allowed_hosts: [new URL(url).hostname],
    only_allowed_hosts: true,
    resolve: () => Promise.resolve([]),
    fetch,
    max_bytes: most.bytes,
    timeout_ms: most.milliseconds,
  });
