// Orders in front of a broker's bridge, which honours their keys. One account per order, so that an account that holds two
// positions has been traded on twice, whatever the keys were.
import { setTimeout as sleep } from "node:timers/promises";
import { activatePolicy, deskEvent } from "../stop/approved-tasks.mjs";
import { addMembers, openDecisions, unlessRefused } from "../stop/decision.mjs";
import { openBridgeSink } from "./bridge-sink.mjs";
import { startWorkerProcess } from "./worker-process.mjs";

const gateMs = 180_000;
const accountOf = (i) => `kill-${i}`;

/** Which account each task trades on. */
async function askForTrades(scratch, count) {
  const accounts = new Map();
  for (let i = 0; i < count; i++) {
    const p_account = {
      account_id: accountOf(i),
      channel: "http-bridge",
      currency: "USDT",
      opening_balance: "10000",
    };
    const p_actor = "test:kill";
    unlessRefused(
      await scratch.call("open_account", { p_account, p_actor }, "administrator"),
      "an account",
    );
    const order = {
      account_id: accountOf(i),
      symbol: "BTCUSDT",
      side: "buy",
      quantity: "1",
      type: "market",
      stop_loss: "98",
      take_profit: "104",
    };
    const p_event = deskEvent("kill", "TRADE", order);
    const { task_id } = unlessRefused(await scratch.call("accept_event", { p_event }), "an order");
    accounts.set(task_id, order.account_id);
  }
  return accounts;
}

/** The agents of the house rehearse each order and judge it; nobody is killed yet. */
async function workToGate(scratch, env, count, refill) {
  const worker = startWorkerProcess(env, "--concurrency", "8");
  try {
    const until = Date.now() + gateMs;
    for (;;) {
      await refill();
      const open = await scratch.owner(
        "select code, task_id from public.approval_requests where status = 'open' order by code",
      );
      if (open.length === count) return open;
      if (Date.now() > until) {
        throw new Error(`${open.length} of ${count} orders reached their gate. ${worker.errors()}`);
      }
      await sleep(250);
    }
  } finally {
    worker.signal("SIGTERM");
    await worker.ended;
  }
}

export async function prepareTrades(scratch, _directory, count, refill) {
  const { policySha256 } = await activatePolicy(scratch);
  await scratch.owner(
    `insert into public.feature_flags (key, enabled, updated_by, reason)
     values ('t3_execution_enabled', true, 'test:kill', 'kills in front of a bridge')
     on conflict (key) do update set enabled = true`,
  );
  const operators = await addMembers(scratch, "operator", count, 1001);
  const owners = await addMembers(scratch, "owner", count, 5001);
  const sink = await openBridgeSink({ answerMs: 1000 });
  const env = {
    QUOTE_URL: sink.url,
    BROKER_BRIDGE_URL: `${sink.url}/orders`,
    BROKER_BRIDGE_SECRET: sink.secret,
  };
  const accounts = await askForTrades(scratch, count);
  const open = await workToGate(scratch, { DATABASE_URL: scratch.url, ...env }, count, refill);
  const approve = await openDecisions(scratch, policySha256);
  let next = 0;
  return {
    action: "TRADE",
    // An order is one of a worker's steps, so more hands take more orders from those who wait to be killed over one.
    hands: 2,
    env,
    /** The order that both roles let through; null when none is left. */
    async approve() {
      if (next >= open.length) return null;
      const i = next++;
      for (const people of [operators, owners]) {
        await approve(people[i % people.length], open[i].code);
      }
      return open[i].task_id;
    },
    nameOf: ({ task_id }) => accounts.get(task_id),
    happened() {
      const counted = new Map();
      for (const { account_id } of sink.placed.values()) {
        counted.set(account_id, (counted.get(account_id) ?? 0) + 1);
      }
      return counted;
    },
    repeated: () => sink.calls.filter(({ again }) => again).map(({ account_id }) => account_id),
    close: () => sink.close(),
  };
}
