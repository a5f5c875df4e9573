import { afterAll, beforeAll, beforeEach } from "vitest";
import { tonChannel } from "../../../functions/_channels/ton.ts";
import { handlePayment, type PaymentDeps } from "../../../functions/intake/payment-ton.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { activate } from "../../support/line.ts";
import { checked, order } from "../../support/payments.ts";
import { TonApi, wallet } from "../../support/ton-api.ts";

export let db: TestDatabase;
export let chain: TonApi;
export let deps: PaymentDeps;
export let nudges = 0;
export const token = "webhook-token-of-the-tests";
export const buyer = "880001";

/** The door of payments on a database and a chain of its own. */
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await checked(db, buyer);
  chain = await TonApi.start();
  deps = {
    database: db.database,
    webhook_token: token,
    wallet,
    ton: tonChannel({ api_url: chain.url, api_key: "ton-key", fetch, timeout_ms: 1_000 }),
    nudge: () => nudges++,
  };
});
// More is asked here in a second than the policy allows in a minute.
beforeEach(() => db.owner("delete from private.rate_buckets where bucket = 'tool:ton.read'"));
afterAll(async () => {
  await chain?.close();
  await db?.close();
});

export async function send(
  body: unknown,
  changed: Partial<PaymentDeps> = {},
  authorization = `Bearer ${token}`,
  method = "POST",
) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request = new Request("http://localhost/functions/v1/intake/payments/ton", {
    method,
    headers: { authorization, "content-type": "application/json" },
    ...(method === "POST" ? { body: text } : {}),
  });
  const response = await handlePayment(request, { ...deps, ...changed });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export const newOrder = () => order(db, buyer);

export const count = async (table: string): Promise<number> =>
  Number((await db.owner<{ n: string }>(`select count(*)::text as n from public.${table}`))[0].n);
