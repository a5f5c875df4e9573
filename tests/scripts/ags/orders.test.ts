import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "../../support/stack.ts";

const wallet = `0:${"5a".repeat(32)}`;
let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ TON_WALLET: wallet, TON_WEBHOOK_TOKEN: "webhook-token-of-the-test" });
  await stack.ags("members", "add", "--role", "owner", "--telegram", "2002", "--name", "olga");
}, 120_000);
afterAll(() => stack?.remove());

const check = (item: string, outcome: string) =>
  stack.ags("orders", "check", "880001", item, outcome, "seen", "in", "person");

describe("ags orders", () => {
  it("says what it needs instead of guessing", async () => {
    for (
      const [words, said] of [
        [["pay"], "create, list, check or override"],
        [["create"], "--buyer"],
        [["check", "880001", "identity"], "passed|failed"],
        [["override", "a".repeat(26), "750", "--as", "olga"], "<reason>"],
        [["override", "a".repeat(26), "much", "known", "--as", "olga"], "<reason>"],
        [["override", "a".repeat(26), "750", "known"], "--as"],
      ] as [string[], string][]
    ) {
      const ran = await stack.ags("orders", ...words);
      expect([ran.code, ran.err]).toEqual([1, expect.stringContaining(said)]);
    }
  }, 60_000);

  it("asks nobody for money whose checklist is not complete", async () => {
    const create = () => stack.ags("orders", "create", "--buyer", "880001", "--plan", "vip-30");
    await check("identity", "passed");
    expect((await create()).err).toContain("kyc_incomplete");
    await check("sanctions", "passed");
    expect((await check("source_of_funds", "passed")).out).toContain("telegram:880001 is passed");
    const made = await create();
    expect(made).toMatchObject({ code: 0, err: "" });
    expect(made.out).toMatch(/transfers 10 TON with the comment [a-z2-7]{26}, until /);
    expect(made.out).toContain(`ton://transfer/${wallet}?amount=10000000000&text=`);
  }, 60_000);

  it("lists orders, and records an owner's word under the owner's name", async () => {
    const [order] = JSON.parse((await stack.ags("orders", "list", "--json")).out);
    const refused = await stack.ags(
      "orders",
      "override",
      order.order_id,
      "750",
      "x",
      "--as",
      "bob",
    );
    expect(refused.err).toContain("wrong_role");
    const lifted = await stack.ags(
      ...["orders", "override", order.order_id, "750", "known", "for", "years", "--as", "olga"],
    );
    expect(lifted.out).toContain("By the word of olga this order may reach 750 USDT.");
    expect(
      await stack.sql(
        "select owner_name, reason, recorded_by ~ '^cli:' as by_cli from payment_overrides",
      ),
    ).toEqual([{ owner_name: "olga", reason: "known for years", by_cli: true }]);
  }, 60_000);
});
