import type { AgentContext } from "../../functions/_agents/agent.ts";
import type { AccountState } from "../../functions/_domain/account-state.ts";
import type { Json } from "../../functions/_domain/json.ts";
import type { Order } from "../../functions/_domain/order.ts";
import type { Quote } from "../../functions/_domain/quote.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import { agents } from "../../functions/orchestrator/roster.ts";
import { freezeClock, type FrozenClock } from "./clock.ts";
import { openTestDatabase, type TestDatabase } from "./database.ts";
import * as line from "./line.ts";
import { administer } from "./personas.ts";

/** Orders by hand: the calls of the main line with the real agents, so that a test can stop between any two. */
export const openAccount = (
  db: TestDatabase,
  account_id: string,
  more: Record<string, unknown> = {},
): Promise<line.Answer> =>
  administer(db, "open_account($1, 'test')", [
    JSON.stringify({
      account_id,
      channel: "paper",
      currency: "USDT",
      opening_balance: "10000",
      ...more,
    }),
  ]);

export const setLimits = (
  db: TestDatabase,
  account_id: string,
  limits: Record<string, unknown>,
): Promise<line.Answer> =>
  administer(db, "set_limits($1, $2, 'test')", [account_id, JSON.stringify(limits)]);

export const setStatus = (
  db: TestDatabase,
  account_id: string,
  status: string,
  reason = "looked odd",
): Promise<line.Answer> =>
  administer(db, "set_account_status($1, $2, $3, 'test')", [account_id, status, reason]);

export async function moment(db: TestDatabase, seconds = 0): Promise<string> {
  const [row] = await db.owner<{ at: string }>(
    "select private.iso(private.now() + make_interval(secs => $1::double precision)) as at",
    [seconds],
  );
  return row.at;
}

/** A price as the source would give it now; `more` may make it another, older or somebody else's. */
export const quote = async (
  db: TestDatabase,
  price: string,
  more: Record<string, unknown> = {},
): Promise<line.Answer> =>
  await db.database.call<line.Answer>("record_quote", {
    p_quote: {
      symbol: "BTCUSDT",
      source: "binance",
      price,
      bid: null,
      ask: null,
      observed_at: await moment(db),
      ...more,
    },
  });

export const account = (db: TestDatabase, id: string): Promise<line.Answer> =>
  db.database.call<line.Answer>("account_state", { p_account_id: id });

/** A bracket around 100: 1 unit, 2 to lose, 4 to win. */
export const wanted = (account_id: string, more: Record<string, Json> = {}) => ({
  account_id,
  symbol: "BTCUSDT",
  side: "buy",
  quantity: "1",
  type: "market",
  stop_loss: "98",
  take_profit: "104",
  ...more,
});

export const reduction = (account_id: string, more: Record<string, Json> = {}) => ({
  account_id,
  symbol: "BTCUSDT",
  side: "sell",
  quantity: "1",
  type: "market",
  reduce_only: true,
  ...more,
});

interface Rehearsal {
  /** The rehearsal is shown an account that has room for anything: what the gate then refuses, it alone refuses. */
  wealthy?: boolean;
}

const wealth = {
  equity: "1000000000",
  equity_at_open: "1000000000",
  peak_equity: "1000000000",
  day_loss: "0",
  open_positions: "0",
  open_risk: "0",
  in_flight: "0",
  in_flight_loss: "0",
};

const contextOf = (
  db: TestDatabase,
  price: string,
  { wealthy = false }: Rehearsal = {},
): AgentContext => ({
  policy: line.policy,
  now: new Date(),
  tool: (_name, run) => run(),
  search: () => Promise.resolve([]),
  embed: () => Promise.resolve(Array.from({ length: 384 }, (_, i) => (i === 0 ? 1 : 0))),
  judge: null,
  market: async () => await quote(db, price) as unknown as Quote,
  account: async (id) => {
    const { limits, ...state } = await account(db, id) as unknown as AccountState;
    if (!wealthy) return { ...state, limits };
    const { max_daily_loss_pct, max_drawdown_pct } = limits;
    return {
      ...state,
      ...wealth,
      limits: { max_daily_loss_pct, max_drawdown_pct, max_positions: "99" },
    };
  },
});

export const accept = (
  db: TestDatabase,
  payload: Record<string, Json>,
): Promise<line.Answer> =>
  line.accept(
    db,
    line.alertEvent(`trade ${Math.random()}`, {
      source: "desk",
      actor: "desk:algo",
      action: "TRADE",
      goal: "Trade as asked",
      payload,
    }),
  );

const workers = ["planner", "researcher", "retriever", "trader", "critic"];

/** Runs every step up to the gate with the agents of the house. */
export async function toGate(
  db: TestDatabase,
  payload: Record<string, Json>,
  price = "100",
  rehearsal: Rehearsal = {},
): Promise<string> {
  const { task_id } = await accept(db, payload);
  for (let round = 0; round < 20; round++) {
    const work = (await line.claim(db, workers)).filter((step) => !step.is_effect);
    if (work.length === 0) break;
    for (const step of work) await runStep(db, step, contextOf(db, price, rehearsal));
  }
  return task_id as string;
}

async function runStep(db: TestDatabase, step: StepWork, context: AgentContext): Promise<void> {
  if (step.agent_class === "planner") {
    const answer = await line.plan(db, step);
    if (answer.refused) throw new Error(`plan: ${answer.refused} ${answer.reason}`);
    return;
  }
  const result = await agents[step.agent_class](step, context);
  const [answer] = await line.complete(db, step, result);
  if (answer.refused) throw new Error(`${step.node_id}: ${answer.refused} ${answer.reason}`);
}

/** An order that operator and owner have approved, its effect's step leased. */
export async function approved(
  db: TestDatabase,
  payload: Record<string, Json>,
  price = "100",
  rehearsal: Rehearsal = {},
): Promise<{ taskId: string; work: StepWork }> {
  const taskId = await toGate(db, payload, price, rehearsal);
  const code = await line.openCode(db, taskId);
  if (!code) throw new Error(`nobody was asked: the task is ${await line.statusOf(db, taskId)}`);
  await line.decide(db, "1001", code);
  if (payload.reduce_only !== true) await line.decide(db, "1002", code);
  const work = (await line.claim(db, ["exec"])).find(({ task_id }) => task_id === taskId);
  if (!work) throw new Error(`nothing to execute: ${await line.statusOf(db, taskId)}`);
  return { taskId, work };
}

export const orderOf = (work: StepWork): Order =>
  JSON.parse(work.inputs.findLast(({ type }) => type === "proposal")!.content).order;

export const reserve = (
  db: TestDatabase,
  work: StepWork,
  more: Record<string, unknown> = {},
): Promise<line.Answer> => {
  const order = orderOf(work);
  return line.reserve(db, work, {
    p_kind: "trade",
    p_channel: "paper",
    p_destination: order.account_id,
    p_payload: order,
    ...more,
  });
};

/** From the request to the fill. */
export async function filled(
  db: TestDatabase,
  payload: Record<string, Json>,
  price = "100",
): Promise<string> {
  const { taskId, work } = await approved(db, payload, price);
  const answer = await reserve(db, work);
  if (answer.refused) throw new Error(`the order was refused: ${answer.refused}`);
  return taskId;
}

/** A database with two deciders, trades switched on, and a clock that stands still. */
export async function openDesk(): Promise<{ db: TestDatabase; clock: FrozenClock }> {
  const db = await openTestDatabase();
  await line.activate(db);
  await line.addMember(db, "operator", "olga", "1001");
  await line.addMember(db, "owner", "oskar", "1002");
  await switchOn(db);
  return { db, clock: await freezeClock(db, "2027-05-01T10:00:00.000Z") };
}

export async function switchOn(db: TestDatabase): Promise<void> {
  await db.owner(
    `insert into public.feature_flags (key, enabled, updated_by, reason)
     values ('t3_execution_enabled', true, 'test', 'tests of trading')
     on conflict (key) do update set enabled = true`,
  );
}

/** Why an order was refused, as the audit has it: code, and which limit where it is one. */
export const refusedFor = async (db: TestDatabase, taskId: string) =>
  (await db.owner<{ facts: Record<string, string> }>(
    "select after_json as facts from public.audit_logs where action = 'order.refuse' and task_id = $1 order by id",
    [taskId],
  )).map(({ facts }) => facts);
