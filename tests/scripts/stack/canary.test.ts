import { describe, expect, it } from "vitest";
import type { Database } from "../../../functions/_database/database.ts";
import { canary } from "../../../scripts/stack/canary.ts";

const nobody: Database = {
  call: () => Promise.reject(new Error("the database is away")),
  close: () => Promise.resolve(),
};
const ask = (tool: string, response: Response = new Response("down", { status: 503 })) =>
  canary({ quoteUrl: "https://quotes.invalid" }, nobody, tool, () => Promise.resolve(response));

describe("a canary", () => {
  it("is not sent to a tool whose call would change something, nor to one that nobody knows", async () => {
    for (const tool of ["telegram.post", "broker.order", "toString"]) {
      expect(await ask(tool)).toMatchObject({ asked: false, good: false });
    }
  });

  it("is bad where the tool does not answer, and says why", async () => {
    expect(await ask("quotes.read")).toEqual({
      asked: true,
      good: false,
      said: "unavailable: binance answered with 503.",
    });
    expect(await ask("chunks.search")).toMatchObject({ good: false, said: "the database is away" });
  });

  it("is good where it does", async () => {
    const price = Response.json({
      symbol: "BTCUSDT",
      lastPrice: "67000",
      closeTime: 1_800_000_000_000,
    });
    expect(await ask("quotes.read", price)).toMatchObject({
      good: true,
      said: "a price of BTCUSDT",
    });
    expect(await ask("embed")).toMatchObject({ good: true, said: "a vector of 384" });
  });
});
