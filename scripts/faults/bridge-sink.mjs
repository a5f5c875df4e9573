// A broker's bridge and an exchange's ticker on loopback. The bridge speaks docs/trading.md and honours the key: an order
// whose key it has seen gets the first answer again and is not placed a second time.
import { Webhook } from "standardwebhooks";
import { listenOnLoopback } from "./loopback-server.mjs";

const price = "100";

function send(response, status, body) {
  if (response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

const ticker = (symbol) => ({
  symbol,
  lastPrice: price,
  bidPrice: price,
  askPrice: price,
  closeTime: Date.now(),
});

/** `answerMs` is how long the bridge takes for an order. `calls` are the posts that arrived whole and signed, in order. */
export async function openBridgeSink({ answerMs = 0 } = {}) {
  const secret = `whsec_${
    Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64")
  }`;
  const webhook = new Webhook(secret);
  const calls = [];
  /** What was placed: by key, the order and the answer that its first call got. */
  const placed = new Map();

  function place({ key, order }) {
    const again = placed.get(key);
    calls.push({ key, account_id: order.account_id, again: again !== undefined });
    if (again) return again.answer;
    const fill = { id: `fill-${placed.size + 1}`, quantity: order.quantity, price, fee: "0.1" };
    const fills = [{ ...fill, executed_at: new Date().toISOString() }];
    const answer = { status: "filled", broker_order_id: `order-${placed.size + 1}`, fills };
    placed.set(key, { account_id: order.account_id, answer });
    return answer;
  }

  const { url, close } = await listenOnLoopback(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://bridge");
    if (pathname.endsWith("/ticker/24hr")) {
      return send(response, 200, ticker(searchParams.get("symbol")));
    }
    let text = "";
    try {
      for await (const piece of request) text += piece;
      webhook.verify(text, request.headers);
    } catch {
      // It broke off before it was whole, or nobody we know sent it: no order.
      return send(response, 401, {});
    }
    const answer = place(JSON.parse(text));
    setTimeout(() => send(response, 200, answer), answerMs);
  });
  return { url, close, secret, calls, placed };
}
