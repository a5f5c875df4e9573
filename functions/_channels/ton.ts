import { type ChainTransaction, readTransaction } from "../_domain/ton.ts";
import { parseExact } from "../_domain/telegram-json.ts";

export interface TonOptions {
  api_url: string;
  api_key: string | null;
  fetch: typeof globalThis.fetch;
  timeout_ms?: number;
}

/** What the chain's index knows of a transaction. `unreachable`: nothing was learnt, ask again. */
export type ChainAnswer =
  | { found: "transaction"; transaction: ChainTransaction }
  | { found: "nothing" }
  | { found: "unreachable"; reason: string; asks_to_wait?: true };

export interface TonChannel {
  transaction(hash: string): Promise<ChainAnswer>;
}

const longest = 256 * 1024;

async function readBounded(response: Response): Promise<string | null> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    size += part.value.byteLength;
    if (size > longest) {
      await reader?.cancel();
      return null;
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}

const unreachable = (reason: string): ChainAnswer => ({ found: "unreachable", reason });

function read(text: string): ChainAnswer {
  let body: unknown;
  try {
    body = parseExact(text);
  } catch (error) {
    if (error instanceof SyntaxError) return unreachable("the answer is not JSON");
    throw error;
  }
  const transaction = readTransaction(body);
  return transaction === null
    ? unreachable("the answer is no transaction")
    : { found: "transaction", transaction };
}

/** tonapi's transactions by hash. It never throws and never tries twice: the webhook's sender comes again by itself. */
export function tonChannel(options: TonOptions): TonChannel {
  const { api_key, timeout_ms = 5_000 } = options;
  const root = options.api_url.replace(/\/+$/, "");
  return {
    async transaction(hash) {
      try {
        const response = await options.fetch(`${root}/v2/blockchain/transactions/${hash}`, {
          headers: {
            accept: "application/json",
            ...(api_key === null ? {} : { authorization: `Bearer ${api_key}` }),
          },
          // Another host could tell another chain.
          redirect: "error",
          signal: AbortSignal.timeout(timeout_ms),
        });
        if (response.status === 404) {
          await response.body?.cancel();
          return { found: "nothing" };
        }
        if (!response.ok) {
          await response.body?.cancel();
          const reason = `HTTP ${response.status}`;
          return response.status === 429
            ? { found: "unreachable", reason, asks_to_wait: true }
            : unreachable(reason);
        }
        const text = await readBounded(response);
        return text === null ? unreachable("the answer is too long") : read(text);
      } catch (error) {
        const name = error instanceof Error ? error.name : "unknown error";
        return unreachable(
          name === "TimeoutError" ? `no answer within ${timeout_ms} ms` : `no answer: ${name}`,
        );
      }
    },
  };
}
