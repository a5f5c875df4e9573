import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** An exchange's ticker on loopback, at the prices that a test sets. */
export class Exchange {
  prices: Record<string, string> = {};
  private constructor(private readonly server: Server) {}

  static async start(prices: Record<string, string>): Promise<Exchange> {
    const server = createServer((request, response) => {
      const symbol = new URL(request.url ?? "/", "http://exchange").searchParams.get("symbol") ??
        "";
      const price = exchange.prices[symbol];
      response.setHeader("content-type", "application/json");
      if (price === undefined) {
        response.statusCode = 400;
        return response.end(JSON.stringify({ code: -1121, msg: "Invalid symbol." }));
      }
      response.end(JSON.stringify({
        symbol,
        lastPrice: price,
        bidPrice: price,
        askPrice: price,
        closeTime: Date.now(),
      }));
    });
    const exchange = new Exchange(server);
    exchange.prices = prices;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return exchange;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
