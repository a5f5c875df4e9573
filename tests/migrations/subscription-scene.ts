import { afterAll, beforeAll } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { handle, update } from "../support/line.ts";
import { checked, openHouse, vipChat } from "../support/payments.ts";

export let db: TestDatabase;
export let clock: FrozenClock;
let accounts = 882000;
export const days = 86_400;
beforeAll(async () => {
  db = await openTestDatabase();
  clock = await freezeClock(db, "2026-11-22T10:00:00.000Z");
  await openHouse(db);
});
afterAll(() => db?.close());

export async function buyer(): Promise<string> {
  const id = String(++accounts);
  await checked(db, id);
  return id;
}

export const subscriptions = (user: string) =>
  db.owner<Record<string, unknown>>(
    `select status, private.iso(starts_at) as starts_at, private.iso(expires_at) as expires_at, task_id, removal_job_id, removed_at, chat_id
     from public.user_subscriptions where user_ref = $1 order by created_at, starts_at`,
    [`telegram:${user}`],
  );
export const queued = (kind: string, user: string) =>
  db.owner<{ status: string; last_error: string | null; task_id: string }>(
    `select status, last_error, task_id from public.notifications
     where kind = $1 and payload_json ->> 'user_id' = $2 order by seq`,
    [kind, user],
  );
export const join = (user: string, chat_id = vipChat, more: Record<string, unknown> = {}) =>
  handle(
    db,
    update(user, { type: "join", chat_id, user_id: user }, {
      kind: "chat_join_request",
      chat_id,
      vip_chat_id: vipChat,
      ...more,
    }),
  );
export const end = async (): Promise<number> =>
  Number(
    (await db.owner<{ n: number }>("select private.end_subscriptions() as n"))[0].n,
  );
export const finish = (kind: string, user: string, status: string, error: string | null = null) =>
  db.owner(
    `update public.notifications set status = $3::text, last_error = $4, sent_at = case when $3 = 'sent' then private.now() end
     where kind = $1 and payload_json ->> 'user_id' = $2 and status = 'queued'`,
    [kind, user, status, error],
  );
