import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "../../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, 120_000);
afterAll(() => stack?.remove());

const accounts = (...args: string[]) => stack.ags("accounts", ...args);

describe("ags accounts", () => {
  it("says what is missing, and refuses what is none", async () => {
    expect((await accounts("open")).err).toContain("which account");
    expect((await accounts("open", "paper-1")).err).toContain("--currency");
    expect((await accounts("close", "paper-1")).err).toContain("does not know");
    expect((await accounts("limits", "paper-1")).err).toContain("--max-positions");
    expect((await accounts("limits", "nobody", "--max-positions", "1")).err).toContain(
      "unknown_account",
    );
    expect((await accounts("suspend", "paper-1")).err).toContain("<reason>");
    const loose = await accounts("open", "A", "--currency", "USDT", "--balance", "1");
    expect(loose).toMatchObject({ code: 1 });
    expect(loose.err).toContain("invalid_request");
  }, 120_000);

  it("opens one, tightens it, keeps orders off it, and names who did", async () => {
    const opened = await accounts("open", "paper-1", "--currency", "USDT", "--balance", "10000");
    expect(opened).toMatchObject({ code: 0, out: expect.stringContaining("open on paper") });
    expect((await accounts("limits", "paper-1", "--max-positions", "4")).err).toContain("tighten");
    expect(await accounts("limits", "paper-1", "--max-positions", "2", "--max-order-size", "500.5"))
      .toMatchObject({ code: 0 });
    expect(await accounts("suspend", "paper-1", "margin", "call")).toMatchObject({ code: 0 });
    const [account] = JSON.parse((await accounts("list", "--json")).out);
    expect(account).toMatchObject({
      account_id: "paper-1",
      channel: "paper",
      status: "suspended",
      opening_balance: "10000",
      limits: { max_positions: "2", max_order_size: "500.5" },
    });
    const actors = await stack.sql<{ actor: string }>(
      "select distinct actor from audit_logs where object in ('account:paper-1', 'limit:paper-1')",
    );
    for (const { actor } of actors) expect(actor).toMatch(/^cli:/);
  }, 120_000);
});
