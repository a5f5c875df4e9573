import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeNow, enroll, type Seed } from "../support/enrolling.ts";
import { Exchange } from "../support/quotes.ts";
import { Stack } from "../support/stack.ts";

let stack: Stack;
let exchange: Exchange;
const seeds: Record<string, Seed> = {};

beforeAll(async () => {
  exchange = await Exchange.start({ BTCUSDT: "60000" });
  stack = await Stack.start({ QUOTE_URL: exchange.url });
  for (const [role, id, name] of [["operator", "1001", "olga"], ["owner", "1002", "otto"]]) {
    await stack.ags("members", "add", "--role", role, "--telegram", id, "--name", name);
    await enroll(stack, name, (seed) => {
      seeds[name] = seed;
      return [codeNow(seed, -1)];
    });
  }
  await stack.ags("accounts", "open", "paper-1", "--currency", "USDT", "--balance", "10000");
}, 180_000);
afterAll(async () => {
  await stack?.remove();
  await exchange?.close();
});

const say = (as: string, text: string) => stack.ags("say", text, "--as", as);

const order = {
  account_id: "paper-1",
  symbol: "BTCUSDT",
  side: "buy",
  type: "market",
  quantity: "0.05",
  stop_loss: "59000",
  take_profit: "63000",
};

async function asked(goal: string, payload: Record<string, unknown>): Promise<[string, string]> {
  const { task_id } = await (await stack.ask("TRADE", goal, payload)).json();
  const code = await Stack.until(`the request of ${task_id}`, async () => {
    const [row] = await stack.sql<{ code: string; status: string; reason: string | null }>(
      `select r.code, t.status, t.reason from tasks t left join approval_requests r using (task_id) where t.task_id = '${task_id}'`,
    );
    if (row?.status === "rejected" || row?.status === "failed") {
      throw new Error(`${task_id} ended as ${row.status}: ${row.reason}`);
    }
    return row?.code;
  }, 30_000);
  return [task_id, code];
}

const ended = (taskId: string) =>
  Stack.until(
    `the end of ${taskId}`,
    async () => ["archived", "rejected", "failed"].includes(await stack.status(taskId) ?? ""),
    30_000,
  ).then(() => stack.status(taskId));

describe("a trade on paper", () => {
  it(
    "is rehearsed, approved by two people with a code each, filled, held and closed at its target",
    async () => {
      const [taskId, code] = await asked("Buy a little", order);
      expect((await stack.ags("approve", code, "yes", "--as", "olga")).err)
        .toContain("second_factor_required");
      const olga = await stack.ags(
        "approve",
        code,
        "yes",
        "--as",
        "olga",
        "--otp",
        codeNow(seeds.olga),
      );
      expect(olga).toMatchObject({ code: 0, err: "" });
      const otto = await stack.ags(
        "approve",
        code,
        "yes",
        "--as",
        "otto",
        "--otp",
        codeNow(seeds.otto),
      );
      expect(otto).toMatchObject({ code: 0, err: "" });
      expect(await stack.status(taskId)).toBe("pending_exec");

      expect((await say("olga", "/t3 on")).err).toContain("wrong_role");
      expect((await say("otto", `/t3 on otp:${codeNow(seeds.otto, 1)}`)).out).toContain("now on");
      expect(await ended(taskId)).toBe("archived");

      expect((await say("olga", "/positions")).out).toContain("BTCUSDT");
      exchange.prices.BTCUSDT = "63100";
      await Stack.until("the target", async () => {
        const rows = await stack.sql("select pnl from trade_results");
        return rows.length > 0;
      }, 60_000);
      expect((await say("olga", "/pnl")).out).toMatch(/Closed: 1, of them won: 1/);
      expect(await stack.ags("audit", "verify-approvals")).toMatchObject({ code: 0 });
    },
    180_000,
  );

  it(
    "is not asked for without a stop, and ends at the critic where it is not worth its risk",
    async () => {
      const { stop_loss: _, ...naked } = order;
      await expect(asked("No stop", naked)).rejects.toThrow(/incomplete_bracket|insufficient_data/);
      await expect(asked("Not worth it", { ...order, take_profit: "63200", stop_loss: "50000" }))
        .rejects.toThrow("critic_rejected");
    },
    120_000,
  );
});
