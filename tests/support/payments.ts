import type { TestDatabase } from "./database.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import {
  accept,
  activate,
  addMember,
  type Answer,
  claim,
  claimPublish,
  complete,
  confirm,
  decide,
  openCode,
  plan,
  reserve,
  resultOf,
  sha256,
  start,
  statusOf,
} from "./line.ts";
import { administer } from "./personas.ts";
import { payer } from "./ton-api.ts";

const say = (db: TestDatabase, call: string, value: unknown): Promise<Answer> =>
  administer(db, `${call}($1, 'cli:test')`, [JSON.stringify(value)]);

export const kycItems = ["identity", "sanctions", "source_of_funds"] as const;

export const check = (db: TestDatabase, buyer: string, item: string, outcome = "passed") =>
  say(db, "record_kyc_check", { telegram_user_id: buyer, item, outcome });

/** An account whose checklist is complete. */
export async function checked(db: TestDatabase, buyer: string): Promise<void> {
  for (const item of kycItems) await check(db, buyer, item);
}

export const createOrder = (db: TestDatabase, buyer: string, plan = "vip-30") =>
  say(db, "create_order", { buyer_telegram_id: buyer, plan });

export async function order(db: TestDatabase, buyer: string): Promise<string> {
  const created = await createOrder(db, buyer);
  if (created.refused) throw new Error(`the order was refused: ${created.refused}`);
  return String(created.order_id);
}

export const override = (db: TestDatabase, value: Record<string, unknown>) =>
  say(db, "override_payment_limit", value);

let transactions = 0;

/** A verified transfer as the door hands it on. */
export const transfer = (comment: string | null, more: Record<string, unknown> = {}) => {
  const tx_hash = sha256(`transaction ${++transactions}`);
  return {
    body: JSON.stringify({ tx_hash }),
    body_sha256: sha256(tx_hash),
    content_type: "application/json",
    tx_hash,
    lt: String(52_000_000_000_000 + transactions),
    transfer: {
      source: payer,
      amount_nano: "10000000000",
      comment,
      at: String(Math.floor(Date.now() / 1000)),
      ...more,
    },
  };
};

export const pay = (db: TestDatabase, payment: Record<string, unknown>): Promise<Answer> =>
  db.database.call<Answer>("accept_payment", { p_payment: payment });

const grantOf = async (db: TestDatabase, taskId: string): Promise<Record<string, string>> => {
  const [{ payload }] = await db.owner<{ payload: Record<string, string> }>(
    "select payload_json as payload from public.tasks where task_id = $1",
    [taskId],
  );
  const { order_id, telegram_user_id, plan, days } = payload;
  return { order_id, telegram_user_id, plan, days, join_minutes: "1440" };
};

/** A price of the payments' symbol, as a source of the policy would give it. `age` in seconds. */
export const quote = (
  db: TestDatabase,
  price: string,
  age = 0,
  more: Record<string, string> = {},
) =>
  db.owner(
    `insert into public.quotes (symbol, source, price, observed_at)
     values ($1, $2, $3, private.now() - make_interval(secs => $4::double precision))
     on conflict do nothing`,
    [more.symbol ?? "TONUSDT", more.source ?? "binance", price, age],
  );

/** Does everything up to the gate; the proposal of the act step makes this grant. */
async function toGate(db: TestDatabase, grant: unknown): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const work = await claim(db, ["planner", "retriever", "exec", "critic"]);
    if (work.length === 0) return;
    for (const step of work) {
      if (step.agent_class === "planner") await plan(db, step);
      else if (step.node_id !== "act") await complete(db, step, resultOf(step));
      else {
        const content = JSON.stringify({ action: "PAYMENT", grant });
        const artifact = { type: "proposal", media_type: "application/json", content };
        await complete(db, step, { artifact });
      }
    }
  }
}

/** A paid order's task at its gate; `change` replaces members of the grant that its proposal makes. */
export async function paidAtGate(
  db: TestDatabase,
  buyer: string,
  { nano = "10000000000", change = {} }: { nano?: string; change?: Record<string, string> } = {},
): Promise<{ taskId: string; grant: Record<string, string> }> {
  const orderId = await order(db, buyer);
  const paid = await pay(db, transfer(orderId, { amount_nano: nano }));
  if (paid.refused) throw new Error(`the payment was refused: ${paid.refused}`);
  const taskId = String(paid.task_id);
  const grant = { ...await grantOf(db, taskId), ...change };
  await toGate(db, grant);
  return { taskId, grant };
}

/** A task that claims to be a paid order's, put in by the other door, approved and leased. */
export async function forgedAccess(
  db: TestDatabase,
  like: string,
): Promise<{ taskId: string; grant: Record<string, string>; work: StepWork }> {
  const grant = await grantOf(db, like);
  const [{ payload_json }] = await db.owner<{ payload_json: unknown }>(
    "select payload_json from public.tasks where task_id = $1",
    [like],
  );
  const body = `forged ${like}`;
  const { task_id } = await accept(db, {
    source: "ton",
    source_name: "tasks",
    source_event_id: null,
    body,
    body_sha256: sha256(body),
    content_type: null,
    actor: "desk",
    goal: "Let somebody in",
    action: "PAYMENT",
    payload: payload_json,
  });
  await toGate(db, grant);
  return { taskId: String(task_id), grant, work: await bothApprove(db, String(task_id)) };
}

async function bothApprove(db: TestDatabase, taskId: string): Promise<StepWork> {
  const code = await openCode(db, taskId);
  for (const person of ["1001", "1002"]) await decide(db, person, code);
  const work = await claimPublish(db, taskId);
  if (work === null) throw new Error(`nothing became ready: ${await statusOf(db, taskId)}`);
  return work;
}

/** Approved by an operator and an owner, its publish step leased. */
export async function approvedAccess(
  db: TestDatabase,
  buyer: string,
  options: { nano?: string; change?: Record<string, string> } = {},
): Promise<{ taskId: string; grant: Record<string, string>; work: StepWork }> {
  const { taskId, grant } = await paidAtGate(db, buyer, options);
  return { taskId, grant, work: await bothApprove(db, taskId) };
}

export const vipChat = "-1003000000001";

export const reserveAccess = (
  db: TestDatabase,
  work: StepWork,
  grant: unknown,
  more: Record<string, unknown> = {},
): Promise<Answer> =>
  reserve(db, work, {
    p_kind: "access",
    p_destination: vipChat,
    p_payload: grant,
    ...more,
  });

/** A paid order all the way to its confirmed grant. */
export async function granted(
  db: TestDatabase,
  buyer: string,
  options: { nano?: string } = {},
): Promise<{ taskId: string; work: StepWork }> {
  const { taskId, grant, work } = await approvedAccess(db, buyer, options);
  await quote(db, "3.2");
  const { effect_id, refused } = await reserveAccess(db, work, grant);
  if (refused) throw new Error(`the reservation was refused: ${refused}`);
  await start(db, effect_id, work);
  await confirm(db, effect_id, work, "confirmed", { invite_link: "https://t.me/+link" });
  return { taskId, work };
}

/** Two people who may decide, the policy in force, T3 switched on. */
export async function openHouse(db: TestDatabase): Promise<void> {
  await activate(db);
  await addMember(db, "operator", "otto", "1001");
  await addMember(db, "owner", "olga", "1002");
  await db.owner(
    "insert into public.feature_flags (key, enabled, updated_by, reason) values ('t3_execution_enabled', true, 'test', 'tests')",
  );
}
