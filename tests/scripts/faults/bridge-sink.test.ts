import { afterAll, beforeAll, expect, it } from "vitest";
import { brokerBridge } from "../../../functions/_channels/broker-bridge.ts";
import { binanceQuotes } from "../../../functions/_channels/quotes.ts";
import type { Order } from "../../../functions/_domain/order.ts";
import { openBridgeSink } from "../../../scripts/faults/bridge-sink.mjs";
import { wanted } from "../../support/trading.ts";

const order = wanted("kill-0") as Order;
let sink: Awaited<ReturnType<typeof openBridgeSink>>;
const bridgeWith = (secret: string) =>
  brokerBridge({
    url: `${sink.url}/orders`,
    secret,
    fetch,
    now: () => new Date(),
    wait: () => Promise.resolve(),
  });

beforeAll(async () => {
  sink = await openBridgeSink();
});
afterAll(() => sink.close());

it("the bridge of the kills places nothing that is signed by somebody else", async () => {
  const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
  expect(await bridgeWith(secret).place({ key: "foreign", order })).toMatchObject({
    outcome: "failed",
  });
  expect(sink.placed.size).toBe(0);
});

it("the bridge of the kills honours a key: the second call gets the first answer and places nothing", async () => {
  const bridge = bridgeWith(sink.secret);
  const first = await bridge.place({ key: "one", order });
  expect(first.outcome).toBe("confirmed");
  expect(await bridge.place({ key: "one", order })).toEqual(first);
  await bridge.place({ key: "two", order });
  expect([...sink.placed.keys()]).toEqual(["one", "two"]);
  expect(sink.calls.map(({ again }) => again)).toEqual([false, true, false]);
});

it("its exchange names a price that the platform can read", async () => {
  const quote = await binanceQuotes({ url: sink.url, fetch }).read("BTCUSDT");
  expect(quote).toMatchObject({ symbol: "BTCUSDT", price: "100" });
});
