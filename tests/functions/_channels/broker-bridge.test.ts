import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { brokerBridge, reportVerifier } from "../../../functions/_channels/broker-bridge.ts";
import { fetchFrom } from "../../../functions/_channels/safe-fetch.ts";
import { readOrder } from "../../../functions/_domain/order.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { asked as fields } from "../_agents/trade-scene.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
interface Call {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

let server: Server;
let answers: Answer[] = [];
let calls: Call[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    calls.push({
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers as Record<string, string>,
      body: Buffer.concat(chunks).toString(),
    });
    (answers.shift() ?? refuse(500))(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
beforeEach(() => {
  answers = [];
  calls = [];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const secret = `whsec_${Buffer.from("a secret of at least 24 bytes").toString("base64")}`;
const key = "T-2027-05-01-0007:execute:abc";
const order = readOrder(fields);
const refuse = (status: number, headers: Record<string, string> = {}): Answer => (response) =>
  response.writeHead(status, headers).end("{}");
const say = (body: unknown, status = 200): Answer => (response) =>
  response.writeHead(status, { "content-type": "application/json" })
    .end(typeof body === "string" ? body : JSON.stringify(body));
const fill = {
  id: "f1",
  quantity: "1",
  price: "100.02",
  fee: "0.05",
  executed_at: "2027-05-01T10:00:01Z",
};
const filled = { status: "filled", broker_order_id: "b-1", fills: [fill] };

const place = (change: { port?: number; fetch?: typeof fetch } = {}) =>
  brokerBridge({
    url: `http://127.0.0.1:${change.port ?? (server.address() as AddressInfo).port}/orders`,
    secret,
    fetch: change.fetch ?? fetch,
    now: () => new Date(),
    wait: () => Promise.resolve(),
    timeoutMs: 1_000,
    pollMs: 1,
    patienceMs: 150,
  }).place({ key, order });

/** A port that somebody had a moment ago and nobody listens on. */
async function closedPort(): Promise<number> {
  const held = createServer();
  await new Promise<void>((resolve) => held.listen(0, "127.0.0.1", resolve));
  const { port } = held.address() as AddressInfo;
  await new Promise((resolve) => held.close(resolve));
  return port;
}

describe("a broker bridge", () => {
  it("that cannot be reached, or asks to wait, certainly has no order", async () => {
    expect(await place({ port: await closedPort() })).toMatchObject({ outcome: "not_sent" });
    const guarded = () => Promise.reject(new Refusal("url_denied"));
    expect(await place({ fetch: guarded as typeof fetch })).toMatchObject({ outcome: "not_sent" });
    answers = [refuse(429, { "retry-after": "7" })];
    expect(await place()).toEqual({
      outcome: "not_sent",
      receipt: { retry_after: 7, error: "the broker bridge asks to wait" },
    });
    answers = [refuse(429, { "retry-after": "tomorrow" })];
    expect((await place()).receipt).not.toHaveProperty("retry_after");
  });

  it.each<[string, Answer]>([
    ["stumbles", refuse(500)],
    ["is behind a broken gateway", refuse(502)],
    ["takes too long", () => undefined],
    ["breaks off", (_, request) => request.socket.destroy()],
    ["breaks off within its answer", (response, request) => {
      response.writeHead(200, { "content-length": "1000" }).write("{");
      setTimeout(() => request.socket.destroy(), 20);
    }],
    ["timed out itself", refuse(408)],
    ["has seen the key before", refuse(409)],
    ["sends elsewhere", refuse(302, { location: "http://127.0.0.1:1/" })],
    ["answers with no JSON", say("<html>")],
    ["answers with nothing that can be read", say({ status: "maybe" })],
    ["says filled without a fill", say({ status: "filled", fills: [] })],
    ["has a price that is none", say({ ...filled, fills: [{ ...fill, price: "1e5" }] })],
  ])("that %s may have placed it: unknown, and no second order", async (_, answer) => {
    answers = [answer];
    expect(await place()).toMatchObject({ outcome: "unknown" });
    expect(calls.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    [
      "is longer than may be read",
      (response) =>
        response.writeHead(200, { "content-length": String(2 * 1024 * 1024) }).write("{"),
    ],
    [
      "grows longer than may be read",
      (response) => response.writeHead(200).end("x".repeat(2 * 1024 * 1024)),
    ],
    ["sends elsewhere", refuse(303, { location: "http://127.0.0.1:1/" })],
  ])(
    "whose answer %s has had the order: the guard's refusal is no proof that nothing left",
    async (_, answer) => {
      answers = [answer, say(filled)];
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect(await place({ fetch: fetchFrom(url, fetch) })).toMatchObject({ outcome: "unknown" });
      expect(calls).toHaveLength(1);
      expect(calls[0]).toMatchObject({ method: "POST", body: JSON.stringify({ key, order }) });
    },
  );

  it("that the guard lets nobody call has no order", async () => {
    const elsewhere = fetchFrom("http://broker.example", fetch);
    expect(await place({ fetch: elsewhere })).toMatchObject({ outcome: "not_sent" });
    expect(calls).toEqual([]);
  });

  it("that refuses the order has not placed it", async () => {
    answers = [say({ status: "rejected", reason: "no margin" })];
    expect(await place()).toEqual({
      outcome: "failed",
      receipt: { status: "rejected", error: "no margin" },
    });
    for (const status of [400, 401, 404, 422]) {
      answers = [refuse(status)];
      expect(await place()).toMatchObject({ outcome: "failed" });
    }
  });

  it("gets one signed order under its key, and what it filled is the receipt", async () => {
    answers = [say(filled)];
    expect(await place()).toEqual({ outcome: "confirmed", receipt: filled });
    const [call] = calls;
    expect(call).toMatchObject({ method: "POST", path: "/orders" });
    expect(call.headers).toMatchObject({ "webhook-id": key, "idempotency-key": key });
    expect(new Webhook(secret).verify(call.body, call.headers)).toEqual({ key, order });
    const other = new Webhook(
      `whsec_${Buffer.from("another secret of 24 bytes").toString("base64")}`,
    );
    expect(() => other.verify(call.body, call.headers)).toThrow();
  });

  it("that takes its time is asked until it knows, each question signed", async () => {
    answers = [refuse(202), refuse(202), refuse(503), say(filled)];
    expect(await place()).toMatchObject({ outcome: "confirmed" });
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /orders",
      ...Array(3).fill(`GET /orders/${encodeURIComponent(key)}`),
    ]);
    expect(() => new Webhook(secret).verify("", calls[1].headers)).not.toThrow();
    answers = [refuse(202), say({ status: "rejected" })];
    expect(await place()).toMatchObject({ outcome: "failed" });
  });

  it("that never says what became of it leaves the outcome unknown", async () => {
    answers = Array(5000).fill(refuse(202));
    expect(await place()).toMatchObject({ outcome: "unknown" });
  });
});

describe("a report's signature", () => {
  const verify = reportVerifier(secret);
  const body = JSON.stringify({ key, status: "rejected" });
  const signed = (at = new Date(), text = body) => ({
    "webhook-id": "r-1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("r-1", at, text),
  });

  it("is missing, old, of another body or of another secret: not believed", () => {
    expect(verify(new Headers(), body)).toBe(false);
    expect(verify(new Headers(signed(new Date(Date.now() - 6 * 60_000))), body)).toBe(false);
    expect(verify(new Headers(signed(new Date(Date.now() + 6 * 60_000))), body)).toBe(false);
    expect(verify(new Headers(signed()), `${body} `)).toBe(false);
    expect(verify(new Headers({ ...signed(), "webhook-id": "r-2" }), body)).toBe(false);
    expect(verify(new Headers({ ...signed(), "webhook-signature": "v1,AAAA" }), body)).toBe(false);
    expect(verify(new Headers({ ...signed(), "webhook-timestamp": "soon" }), body)).toBe(false);
  });

  it("is believed for the very bytes it was made over", () => {
    expect(verify(new Headers(signed()), body)).toBe(true);
    expect(verify(new Headers(signed(new Date(), "no JSON")), "no JSON")).toBe(true);
  });
});
