import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { consoleChannel } from "../../functions/_channels/console.ts";
import { embed } from "../../functions/_channels/embedder.ts";
import { telegramMembership } from "../../functions/_channels/telegram-membership.ts";
import { telegramChannel } from "../../functions/_channels/telegram.ts";
import { tonChannel } from "../../functions/_channels/ton.ts";
import { tick as communicate } from "../../functions/communicator/handler.ts";
import { handle as intake } from "../../functions/intake/handler.ts";
import { tick as orchestrate } from "../../functions/orchestrator/handler.ts";
import { agents } from "../../functions/orchestrator/roster.ts";
import { breakersOf } from "../../functions/_database/breakers.ts";
import { BotApi } from "../support/bot-api.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { asksToJoin } from "../support/joining.ts";
import { decide, openCode, policy, policySha256, refusalsOf, statusOf } from "../support/line.ts";
import { checked, openHouse, order, quote, vipChat } from "../support/payments.ts";
import { TonApi, wallet } from "../support/ton-api.ts";

const buyer = "885001";
const token = "webhook-token-of-the-tests";
let db: TestDatabase;
let api: BotApi;
let chain: TonApi;
let taskId: string;

beforeAll(async () => {
  db = await openTestDatabase();
  await openHouse(db);
  await checked(db, buyer);
  [api, chain] = await Promise.all([BotApi.start(), TonApi.start()]);
});
afterAll(async () => {
  await Promise.all([api?.close(), chain?.close()]);
  await db?.close();
});

/** The agents of the house, then the outbox, as the clock would call them. */
async function work(): Promise<void> {
  const options = { token: api.token, api_root: api.root };
  const bundle = () => Promise.resolve(null);
  const now = () => new Date();
  const breakers = breakersOf({ database: db.database, now });
  const shared = { database: db.database, worker: "test", now, bundle, breakers };
  await orchestrate({
    ...shared,
    service_token: "service",
    policy: { ok: true, policy, sha256: policySha256 },
    agents,
    embed,
    judge: null,
    budget_ms: 8000,
    market: async (symbol) => {
      await quote(db, "3.2");
      const observed_at = new Date().toISOString();
      return { symbol, source: "binance", price: "3.2", bid: null, ask: null, observed_at };
    },
    account: () => Promise.reject(new Error("no order is asked for")),
    bridge: null,
    watch: () => Promise.resolve(),
  });
  await communicate({
    ...shared,
    channels: { telegram: telegramChannel(options), console: consoleChannel(() => {}) },
    chat_id: "-1002000000001",
    policy_sha256: policySha256,
    membership: telegramMembership(options),
    vip_chat_id: vipChat,
    refresh_quote: async () => void await quote(db, "3.2"),
  });
}

const pays = (body: unknown) =>
  intake(
    new Request("http://localhost/functions/v1/intake/payments/ton", {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    }),
    {
      database: db.database,
      tokens: [],
      service_token: "service",
      alert_action: "PUBLISH",
      broker: { verify: null },
      payments: {
        webhook_token: token,
        wallet,
        ton: tonChannel({ api_url: chain.url, api_key: null, fetch }),
      },
    },
  );

describe("a payment on the chain becomes an access", () => {
  it("is planned, proposed, rehearsed and passed by the critic, and nothing has happened yet", async () => {
    const comment = await order(db, buyer);
    const answer = await pays(chain.transfer({ comment, nano: "10500000000" }));
    ({ task_id: taskId } = await answer.json());
    await work();
    expect(await refusalsOf(db, taskId)).toEqual([]);
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
    const [evaluation] = await db.owner(
      "select verdict, score::text, red_flags from public.evaluations where task_id = $1",
      [taskId],
    );
    expect(evaluation).toEqual({ verdict: "pass", score: "1.0000", red_flags: [] });
    expect(api.groups.links).toEqual([]);
    expect(api.received(buyer)).toEqual([
      "Your payment of 10.5 TON for vip-30 has arrived. People look at it now; you will be told.",
    ]);
    const card = api.received("1001").at(-1)!;
    expect(card).toContain("Would invite Telegram account 885001 for 30 days (vip-30)");
    expect(card).toContain("33.6 USDT at 3.2 (TONUSDT of binance");
    expect(card).toContain("Gates now: all of them hold");
  });

  it("waits for both people, then invites the buyer and archives the task", async () => {
    const code = await openCode(db, taskId);
    await decide(db, "1001", code);
    await work();
    expect(api.groups.links).toEqual([]);
    await decide(db, "1002", code);
    for (let round = 0; round < 3; round++) await work();
    expect(api.groups.links).toMatchObject([{ chat_id: vipChat }]);
    expect(await statusOf(db, taskId)).toBe("archived");
    expect(api.received(buyer).at(-1)).toContain(api.groups.links[0].invite_link);
  });

  it("lets in the buyer alone", async () => {
    await asksToJoin(db, api, "889999");
    await asksToJoin(db, api, buyer);
    await work();
    expect([...api.groups.members]).toEqual([`${vipChat}/${buyer}`]);
    expect(api.groups.requests.size).toBe(0);
  });

  it("is over at its end, once", async () => {
    await db.owner(
      `update public.user_subscriptions set starts_at = starts_at - interval '31 days', expires_at = private.now()
       where task_id = $1`,
      [taskId],
    );
    for (let run = 0; run < 2; run++) {
      await db.owner("update public.jobs set next_run_at = private.now()");
      await work();
    }
    expect(api.groups.members.size).toBe(0);
    expect(api.called("banChatMember")).toHaveLength(1);
    expect(api.received(buyer).at(-1)).toBe(
      "Your access (vip-30) has ended. A new order opens it again.",
    );
  });
});
