import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { binanceQuotes } from "../../../functions/_channels/quotes.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const quotes = (port = (server.address() as AddressInfo).port) =>
  binanceQuotes({ url: `http://127.0.0.1:${port}`, fetch, timeoutMs: 1_000 });
const says = (body: unknown, status = 200) => {
  answer = (_, response) => {
    response.writeHead(status, { "content-type": "application/json" })
      .end(typeof body === "string" ? body : JSON.stringify(body));
  };
};
const ticker = (more: object = {}) => ({
  symbol: "BTCUSDT",
  lastPrice: "67000.10000000",
  bidPrice: "67000.00000000",
  askPrice: "67000.20000000",
  closeTime: 1_793_000_000_123,
  ...more,
});
const codeOf = async (symbol = "BTCUSDT", port?: number): Promise<string> => {
  try {
    await quotes(port).read(symbol);
    return "a price";
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
};

describe("binance as a source of prices", () => {
  it.each<[string, unknown]>([
    ["no JSON", "<html>"],
    ["null", "null"],
    ["another symbol", ticker({ symbol: "ETHUSDT" })],
    ["no price", ticker({ lastPrice: undefined })],
    ["a price as a number", ticker({ lastPrice: 67000.1 })],
    ["a price of zero", ticker({ lastPrice: "0.00000000" })],
    ["a price that is none", ticker({ lastPrice: "NaN" })],
    ["no time", ticker({ closeTime: undefined })],
    ["a time beyond all dates", ticker({ closeTime: 9e15 })],
    ["a list of all symbols", [ticker()]],
  ])("is not believed when it answers with %s", async (_, body) => {
    says(body);
    expect(await codeOf()).toBe("unavailable");
  });

  it("says when it is busy, broken, silent, elsewhere, or does not know the symbol", async () => {
    const codes: [number, string][] = [
      [429, "rate_limited"],
      [418, "rate_limited"],
      [400, "insufficient_data"],
      [403, "unavailable"],
      [500, "unavailable"],
    ];
    for (const [status, code] of codes) {
      says({ code: -1, msg: "no" }, status);
      expect([status, await codeOf()]).toEqual([status, code]);
    }
    answer = (_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
    expect(await codeOf()).toBe("unavailable");
    answer = () => undefined;
    expect(await codeOf()).toBe("unavailable");
    expect(await codeOf("BTCUSDT", 1)).toBe("unavailable");
  });

  it("gives price, bid and ask as they came, at the exchange's time, and names itself", async () => {
    says(ticker());
    asked = [];
    expect(await quotes().read("BTCUSDT")).toEqual({
      symbol: "BTCUSDT",
      source: "binance",
      price: "67000.1",
      bid: "67000",
      ask: "67000.2",
      observed_at: new Date(1_793_000_000_123).toISOString(),
    });
    expect(asked).toEqual(["/api/v3/ticker/24hr?symbol=BTCUSDT"]);
    says(ticker({ bidPrice: "0.00000000", askPrice: null }));
    expect(await quotes().read("BTCUSDT")).toMatchObject({ bid: null, ask: null });
  });

  it("asks for a symbol and never for another path", async () => {
    says(ticker());
    asked = [];
    expect(await codeOf("../order?x=1&symbol=A")).toBe("unavailable");
    expect(asked).toEqual(["/api/v3/ticker/24hr?symbol=..%2Forder%3Fx%3D1%26symbol%3DA"]);
  });
});
