import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Our wallet in the tests, and somebody else's. */
export const wallet = `0:${"5a".repeat(32)}`;
export const stranger = `0:${"c3".repeat(32)}`;
export const payer = `0:${"17".repeat(32)}`;

/** How the chain's index can misbehave instead of answering. */
export type Misbehaviour =
  | "hang"
  | "server_error"
  | "too_many_requests"
  | "garbage"
  | "another_shape"
  | "endless"
  | "redirect";

export interface Transfer {
  nano?: string | number;
  comment?: string | null;
  to?: string;
  from?: string | null;
  success?: boolean;
  aborted?: boolean;
  bounced?: boolean;
  lt?: string | number;
  at?: number;
  /** Replaces fields of the incoming message, such as `decoded_op_name`. */
  message?: Record<string, unknown>;
  /** Replaces fields of the transaction. */
  more?: Record<string, unknown>;
}

/** A chain's index that speaks tonapi's JSON on a free port of the loopback, and misbehaves on request. */
export class TonApi {
  readonly asked: { path: string; authorization: string | undefined }[] = [];
  readonly #transactions = new Map<string, string>();
  #misbehaviour: Misbehaviour | null = null;
  #lt = 52_000_000_000_001;
  #server: Server | null = null;

  static async start(): Promise<TonApi> {
    const api = new TonApi();
    const server = createServer((request, response) => api.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    api.#server = server;
    return api;
  }

  /** What TON_API_URL is set to. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server?.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server?.close(() => resolve());
      this.#server?.closeAllConnections();
    });
  }

  misbehaves(how: Misbehaviour | null): void {
    this.#misbehaviour = how;
  }

  /** A transaction on this chain, and the webhook's body that tells of it. */
  transfer(given: Transfer): { account_id: string; lt: string | number; tx_hash: string } {
    const tx_hash = randomBytes(32).toString("hex");
    const lt = given.lt ?? (this.#lt += 2);
    const to = given.to ?? wallet;
    const { comment = null } = given;
    const shown = {
      hash: tx_hash,
      lt: `#${lt}#`,
      account: { address: to, is_scam: false, is_wallet: true },
      success: given.success ?? true,
      utime: given.at ?? Math.floor(Date.now() / 1000),
      orig_status: "active",
      end_status: "active",
      total_fees: 397_000,
      transaction_type: "TransOrd",
      in_msg: {
        msg_type: "int_msg",
        created_lt: 51_999_999_999_999,
        ihr_disabled: true,
        bounce: false,
        bounced: given.bounced ?? false,
        value: `#${given.nano ?? "10000000000"}#`,
        fwd_fee: 266_669,
        ihr_fee: 0,
        destination: { address: to, is_scam: false, is_wallet: true },
        ...(given.from === null
          ? {}
          : { source: { address: given.from ?? payer, is_scam: false, is_wallet: true } }),
        ...(comment === null ? {} : {
          op_code: "0x00000000",
          decoded_op_name: "text_comment",
          decoded_body: { text: comment },
        }),
        ...given.message,
      },
      out_msgs: [],
      block: "(0,8000000000000000,48000001)",
      aborted: given.aborted ?? false,
      destroyed: false,
      ...given.more,
    };
    // Numbers as the real index writes them, however long: JSON.stringify would round them.
    this.#transactions.set(tx_hash, JSON.stringify(shown).replace(/"#(\d+)#"/g, "$1"));
    return { account_id: wallet, lt, tx_hash };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.asked.push({ path: request.url ?? "", authorization: request.headers.authorization });
    if (this.#misbehaviour !== null) return misbehave(response, this.#misbehaviour);
    const [, hash] = /^\/v2\/blockchain\/transactions\/([0-9a-f]{64})$/.exec(request.url ?? "") ??
      [];
    const shown = this.#transactions.get(hash ?? "");
    response.writeHead(shown === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(shown ?? JSON.stringify({ error: "transaction not found" }));
  }
}

function misbehave(response: ServerResponse, how: Misbehaviour): void {
  switch (how) {
    case "hang":
      return;
    case "server_error":
      response.writeHead(500).end('{"error":"internal"}');
      return;
    case "too_many_requests":
      response.writeHead(429).end('{"error":"rate limit"}');
      return;
    case "garbage":
      response.writeHead(200).end("<html>");
      return;
    case "another_shape":
      response.writeHead(200).end('{"ok":true,"result":[]}');
      return;
    case "endless":
      response.writeHead(200).end(`"${"x".repeat(400_000)}"`);
      return;
    case "redirect":
      response.writeHead(302, { location: "http://127.0.0.1:9/" }).end();
  }
}
