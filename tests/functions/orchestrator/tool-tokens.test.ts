import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Limiter, Token } from "../../../functions/_domain/limiter.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { tokensFor } from "../../../functions/orchestrator/tool-tokens.ts";
import { freezeClock } from "../../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { activate, policy } from "../../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await freezeClock(db, "2027-05-01T10:00:00Z");
});
afterAll(() => db.close());
beforeEach(() => db.owner("delete from private.rate_buckets"));

const saying = (token: Token): Limiter => ({ take: () => Promise.resolve(token) });
const counted = async (tool: string) =>
  (await db.owner("select 1 from private.rate_buckets where bucket = $1", [`tool:${tool}`])).length;
const code = (call: Promise<unknown>) =>
  call.then((value) => value, (error) => error instanceof Refusal ? error.code : String(error));
const take = (limiter: Limiter | null, tool: string, fail_closed?: string[]) =>
  code(
    tokensFor({
      database: db.database,
      policy: {
        ...policy,
        rate_limits: { ...policy.rate_limits, ...(fail_closed && { fail_closed }) },
      },
      limiter,
    })(tool),
  );

describe("a call that acts", () => {
  it("does not pass while Redis does not answer, though the database would let it", async () => {
    expect(await take(saying("unknown"), "broker.order")).toBe("rate_limited");
    expect(await counted("broker.order")).toBe(0);
  });

  it("is counted by the database as well, so that a flushed Redis lets no more of them through", async () => {
    const limit = policy.rate_limits.tools["broker.order"];
    for (let i = 0; i < limit; i++) expect(await take(saying("taken"), "broker.order")).toBeNull();
    expect(await take(saying("taken"), "broker.order")).toBe(2);
  });

  it("is turned away by Redis without asking the database", async () => {
    expect(await take(saying({ wait: 7 }), "broker.order")).toBe(7);
    expect(await counted("broker.order")).toBe(0);
  });
});

describe("a call that only reads", () => {
  it("is counted by the database while Redis does not answer", async () => {
    expect(await take(saying("unknown"), "quotes.read")).toBeNull();
    expect(await counted("quotes.read")).toBe(1);
  });

  it("is counted by Redis alone while it does", async () => {
    expect(await take(saying("taken"), "quotes.read")).toBeNull();
    expect(await counted("quotes.read")).toBe(0);
  });

  it("does not pass either where the policy says so", async () => {
    expect(await take(saying("unknown"), "quotes.read", ["quotes.read"])).toBe("rate_limited");
    expect(await take(saying("unknown"), "broker.order", [])).toBeNull();
  });

  it("is counted by the database where there is no Redis", async () => {
    expect(await take(null, "broker.order")).toBeNull();
    expect(await counted("broker.order")).toBe(1);
  });
});
