import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { clockUnder, type Condition } from "./faults.ts";

export interface Asked {
  method: string;
  url: URL;
  headers: IncomingMessage["headers"];
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** A server on a free port of the loopback that speaks real HTTP, and can be made to lie, hang and fall silent. */
export class HttpFake {
  readonly asked: Asked[] = [];
  /** How many questions were open at once, at most. */
  most_at_once = 0;
  condition: Condition = "well";
  dated = true;
  /** Paths whose answers carry no Date. */
  readonly undated = new Set<string>();
  /** Answers this to everything, whatever the condition. */
  always: Answer | null = null;
  #answer: (asked: Asked) => Answer;
  #server: Server;
  #open = 0;
  #port = 0;

  constructor(answer: (asked: Asked) => Answer) {
    this.#answer = answer;
    this.#server = createServer((request, response) => this.#take(request, response));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port was given");
    this.#port = address.port;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Down is a port that nobody listens on. */
  async under(condition: Condition): Promise<void> {
    this.condition = condition;
    if (condition === "down") await this.close();
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "/", headers } = request;
    const asked = { method, url: new URL(url, this.url), headers };
    this.asked.push(asked);
    this.#open++;
    this.most_at_once = Math.max(this.most_at_once, this.#open);
    response.on("close", () => this.#open--);
    if (this.condition === "slow") return;
    // A moment, so that questions asked together are open together.
    setTimeout(() => this.#reply(asked, response), 5);
  }

  #reply(asked: Asked, response: ServerResponse): void {
    const { status = 200, headers = {}, body } = this.always ?? this.#answer(asked);
    response.sendDate = false;
    const isDated = this.dated && !this.undated.has(asked.url.pathname);
    const dated: Record<string, string> = isDated
      ? { date: clockUnder(this.condition).toUTCString() }
      : {};
    response.writeHead(status, { "content-type": "application/json", ...dated, ...headers });
    const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
    response.end(this.condition === "malformed" ? `${text.slice(0, 3)}<` : text);
  }
}
