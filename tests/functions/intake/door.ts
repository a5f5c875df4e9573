import { afterAll, beforeAll } from "vitest";
import type { Json } from "../../../functions/_domain/json.ts";
import { handle, type IntakeDeps } from "../../../functions/intake/handler.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { activatePolicy } from "../../support/personas.ts";

export let db: TestDatabase;
export let deps: IntakeDeps;
export let nudges = 0;

/** The door of intake on a database of its own; imported by the test files of this folder, which each get one. */
beforeAll(async () => {
  db = await openTestDatabase();
  await activatePolicy(db);
  deps = {
    payments: { webhook_token: null, wallet: null, ton: null },
    broker: { verify: null },
    database: db.database,
    tokens: [{ name: "btc", token: "tv-token-of-btc" }, {
      name: "eth",
      token: "tv-token-of-eth",
    }],
    service_token: "service-token",
    alert_action: "PUBLISH",
    nudge: () => nudges++,
  };
});
afterAll(() => db?.close());

export const at = "http://localhost/functions/v1/intake";

export async function send(
  path: string,
  body: BodyInit | null,
  headers: Record<string, string> = {},
  changed: Partial<IntakeDeps> = {},
) {
  const request = new Request(`${at}${path}`, {
    method: "POST",
    body,
    headers,
  });
  const response = await handle(request, { ...deps, ...changed });
  return {
    status: response.status,
    headers: response.headers,
    body: await response.json(),
  };
}

export const alert = (
  body: BodyInit,
  type = "text/plain",
  token = "tv-token-of-btc",
) => send(`/tradingview/${token}`, body, { "content-type": type });

export const task = (value: unknown, authorization = "Bearer service-token") =>
  send("/tasks", typeof value === "string" ? value : JSON.stringify(value), {
    authorization,
  });

export const receipts = (sha: string) =>
  db.owner("select * from public.event_receipts where body_sha256 = $1", [sha]);

export async function shaOf(body: string): Promise<string> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(body),
  );
  return Buffer.from(digest).toString("hex");
}

let serial = 0;
export const nextSerial = (): number => ++serial;
export const signal = (more: Record<string, Json> = {}) =>
  JSON.stringify({
    action: "buy",
    symbol: "BTCUSDT",
    price: "65000",
    serial: ++serial,
    ...more,
  });
