import type { IncomingMessage, ServerResponse } from "node:http";

/** An answer of the Bot API, as it travels. */
export type Answer =
  | { ok: true; result: unknown }
  | {
    ok: false;
    error_code: number;
    description: string;
    parameters?: { retry_after?: number; migrate_to_chat_id?: number };
  };

export const done = (result: unknown): Answer => ({ ok: true, result });
export const fault = (
  error_code: number,
  description: string,
  parameters?: { retry_after: number },
): Answer => ({ ok: false, error_code, description, ...(parameters ? { parameters } : {}) });

/** How the server can misbehave instead of answering. */
export type Misbehaviour =
  /** 429 with retry_after seconds. */
  | { as: "too_many_requests"; retry_after: number }
  /** 403: the person blocked the bot. */
  | { as: "blocked" }
  /** 400 with a description of Telegram's. */
  | { as: "bad_request"; description?: string }
  /** 500 as Telegram says it, in JSON: certainly not done. */
  | { as: "server_error" }
  /** 502 as a proxy in between says it, in HTML. */
  | { as: "bad_gateway" }
  /** 409: another getUpdates or a webhook is active. */
  | { as: "conflict" }
  /** No answer at all; `done` says whether the call was carried out. */
  | { as: "hang"; done?: boolean }
  /** The connection is reset before anything was carried out. */
  | { as: "reset_before" }
  /** The call is carried out, then the connection is reset before the answer. */
  | { as: "reset_after" };

const gateway = "<html><body><center><h1>502 Bad Gateway</h1></center></body></html>";

export function writeJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

export const writeAnswer = (response: ServerResponse, answer: Answer): void =>
  writeJson(response, answer.ok ? 200 : answer.error_code, answer);

/** Carries out a misbehaviour; `act` does the call where the misbehaviour comes after it. */
export function misbehave(
  response: ServerResponse,
  misbehaviour: Misbehaviour,
  act: () => unknown,
): void {
  switch (misbehaviour.as) {
    case "too_many_requests": {
      const { retry_after } = misbehaviour;
      const description = `Too Many Requests: retry after ${retry_after}`;
      return writeAnswer(response, fault(429, description, { retry_after }));
    }
    case "blocked":
      return writeAnswer(response, fault(403, "Forbidden: bot was blocked by the user"));
    case "bad_request":
      return writeAnswer(
        response,
        fault(400, misbehaviour.description ?? "Bad Request: message text is empty"),
      );
    case "server_error":
      return writeAnswer(response, fault(500, "Internal Server Error"));
    case "conflict":
      return writeAnswer(
        response,
        fault(409, "Conflict: terminated by other getUpdates request"),
      );
    case "bad_gateway":
      response.writeHead(502, { "content-type": "text/html" });
      response.end(gateway);
      return;
    case "hang":
      if (misbehaviour.done) act();
      return;
    case "reset_before":
      response.socket?.destroy();
      return;
    case "reset_after":
      act();
      response.socket?.destroy();
  }
}

export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}

/** Parameters arrive as JSON, as a form or in the query, as with the real server. */
export function readParameters(
  request: IncomingMessage,
  url: URL,
  body: string,
): Record<string, unknown> {
  const query = Object.fromEntries(url.searchParams);
  if (body === "") return query;
  const type = request.headers["content-type"] ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) {
    return { ...query, ...Object.fromEntries(new URLSearchParams(body)) };
  }
  return { ...query, ...JSON.parse(body) };
}
