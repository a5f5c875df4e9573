import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TonChannel, tonChannel } from "../../../functions/_channels/ton.ts";
import { TonApi, wallet } from "../../support/ton-api.ts";

let api: TonApi;
let ton: TonChannel;
beforeAll(async () => {
  api = await TonApi.start();
  ton = tonChannel({ api_url: `${api.url}/`, api_key: null, fetch, timeout_ms: 1_000 });
});
afterAll(() => api?.close());

describe("the chain's index", () => {
  it.each(
    [
      ["hang", "no answer within 1000 ms"],
      ["server_error", "HTTP 500"],
      ["too_many_requests", "HTTP 429"],
      ["garbage", "the answer is not JSON"],
      ["another_shape", "the answer is no transaction"],
      ["endless", "the answer is too long"],
      ["redirect", "no answer: TypeError"],
    ] as const,
  )("that misbehaves (%s) tells nothing, and is asked once", async (how, reason) => {
    const { tx_hash } = api.transfer({});
    api.misbehaves(how);
    const asked = api.asked.length;
    expect(await ton.transaction(tx_hash)).toMatchObject({ found: "unreachable", reason });
    expect(api.asked.length).toBe(asked + 1);
    api.misbehaves(null);
  });

  it("that is not there tells nothing", async () => {
    const nowhere = tonChannel({ api_url: "http://127.0.0.1:9", api_key: "k", fetch });
    expect(await nowhere.transaction("ab".repeat(32))).toMatchObject({ found: "unreachable" });
  });

  it("says when there is no such transaction", async () => {
    expect(await ton.transaction("ab".repeat(32))).toEqual({ found: "nothing" });
  });

  it("shows a transaction, its long numbers whole, and gets no key where there is none", async () => {
    const { tx_hash } = api.transfer({ nano: "9007199254740993123", lt: "9007199254740993" });
    const answer = await ton.transaction(tx_hash);
    expect(answer).toMatchObject({
      found: "transaction",
      transaction: {
        hash: tx_hash,
        lt: "9007199254740993",
        success: true,
        in_msg: { value: "9007199254740993123", destination: { address: wallet } },
      },
    });
    expect(api.asked.at(-1)?.authorization).toBeUndefined();
  });
});
