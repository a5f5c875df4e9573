import { createHash } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import {
  openEmbeddedDatabase,
  openTestDatabase,
  type TestDatabase,
  testDatabase,
} from "../support/database.ts";
import * as line from "../support/line.ts";
import { household } from "../support/household.ts";
import { given } from "./guard.ts";

type More = Record<string, unknown>;

export interface House extends TestDatabase {
  clock: FrozenClock;
}

const publicKey = Buffer.alloc(32, 7);
const keyId = createHash("sha256").update(publicKey).digest("hex").slice(0, 16);

export const openHouse = async (): Promise<House> => {
  const db = await openTestDatabase();
  await inhabit(db);
  return await furnished(db);
};

async function inhabit(db: TestDatabase): Promise<void> {
  await household(db);
  await db.database.call("report_signing_key", { p_public_key: publicKey.toString("base64") });
}

async function furnished(db: TestDatabase): Promise<House> {
  const house = { ...db, clock: await freezeClock(db, "2027-05-01T10:00:00Z") };
  await calm(house);
  return house;
}

/** Opens copies of one house, as many as are asked for. */
export async function housesFromOne(): Promise<() => Promise<House>> {
  const first = await openEmbeddedDatabase();
  await inhabit(first);
  await furnished(first);
  const image = await first.pg.dumpDataDir("none");
  await first.close();
  return async () =>
    furnished(
      await testDatabase(await PGlite.create({ loadDataDir: image, extensions: { vector } })),
    );
}

/** As a house is that nobody has touched yet: a probe finds nothing of the one before. */
export async function calm(house: House): Promise<void> {
  await house.clock.advance(3600);
  await house.owner("update public.policies set status = 'refused' where status = 'pending'");
  await house.owner("update public.policies set body = $1 where status = 'active'", [
    JSON.stringify(line.policy),
  ]);
  given(await line.activate(house));
  await house.owner("delete from private.rate_buckets");
  await house.owner("update public.task_steps set run_at = 'infinity' where status = 'ready'");
  await runAgain(house);
  await switchT3(house, true);
}

export const runAgain = (house: House) =>
  house.owner(
    `insert into public.emergency_stops (scope, state, changed_by, reason)
     values ('all', 'running', 'test', 'set up'), ('t3', 'running', 'test', 'set up')
     on conflict (scope) do update set state = 'running'`,
  );

export const switchT3 = (house: House, on: boolean) =>
  house.owner(
    `insert into public.feature_flags (key, enabled, updated_by, reason) values ('t3_execution_enabled', $1, 'test', 'test')
     on conflict (key) do update set enabled = excluded.enabled`,
    [on],
  );

/** Changes one section of the active policy where it lies, so that its name stays the same. */
export const setPolicy = (house: House, path: string, value: unknown) =>
  house.owner(
    "update public.policies set body = jsonb_set(body, $1::text[], $2) where status = 'active'",
    [path, JSON.stringify(value)],
  );

let numbers = 5000;
export const number = (): string => String(++numbers);

/** Somebody who was not there before; the id of their account. */
export async function newcomer(house: House, role: string, person?: string): Promise<string> {
  const telegram = number();
  given(await line.addMember(house, role, `m${telegram}`, telegram, person));
  return telegram;
}

export const removeMember = (house: House, telegram: string) =>
  house.as("administrator", "select api.remove_member($1, 'test')", [telegram]);

/** What somebody writes to the bot. */
export const say = (house: House, from: string, intent: More, more: More = {}) =>
  line.handle(house, line.update(from, intent, more));

export const stop = (house: House, scope = "all", from = "1001") =>
  say(house, from, { type: "stop", scope, reason: "smoke" });

export async function confirm(house: House, from: string, code: unknown, more: More = {}) {
  const proof = "second_factor" in more
    ? {}
    : { second_factor: await line.secondFactor(house, from) };
  return await say(house, from, { type: "confirm", code, decision: "approve" }, {
    ...proof,
    ...more,
  });
}

/** A yes with the door's words put by hand: what is signed, and what the authenticator said. */
export async function yes(
  house: House,
  from: string,
  code: string,
  { signed = {}, ...more }: { signed?: More | null; [key: string]: unknown } = {},
): Promise<line.Answer> {
  const [fields] = await house.owner<More>(
    `select r.code, r.digest, m.person_id as person, m.role, private.iso(private.now()) as signed_at
     from public.approval_requests r left join public.members m on m.telegram_user_id = $2 where r.code = $1
     order by m.status = 'active' desc limit 1`,
    [code, from],
  );
  const words = {
    ...fields,
    decision: "approve",
    key_id: keyId,
    signature: Buffer.alloc(64, 9).toString("base64"),
    ...signed,
  };
  const intent = { type: "approve", code, decision: "approve", reason: null };
  return await house.database.call<line.Answer>("decide", {
    p_update: line.update(from, intent, more),
    p_signed: signed === null ? null : words,
  });
}

export async function signal(house: House, more: More = {}) {
  const taskId = await line.signalAtGate(house, more);
  const code = await line.openCode(house, taskId);
  if (!code) throw new Error("nobody was asked");
  return { taskId, code };
}

/** A post that somebody asked for at a desk: it may be decided for a day. */
export const post = (house: House) => signal(house, { source: "desk" });

/** A T3 task at its gate, with nothing that could be carried out. */
export const trade = (house: House, more: More = {}) =>
  signal(house, { source: "desk", action: "TRADE", ...more });

export async function approvedPost(house: House) {
  const { taskId, code } = await post(house);
  given(await line.decide(house, "1001", code));
  const work = await line.claimPublish(house, taskId);
  if (work === null) throw new Error("nothing became ready to publish");
  return { taskId, code, work };
}

export async function one<T = unknown>(house: House, sql: string, params: unknown[] = []) {
  const [row] = await house.owner<{ value: T }>(sql, params);
  return row?.value;
}

/** As somebody who gets past the triggers would: what is forged here shows the guards that are left. */
export const behindTriggers = (house: House, sql: string, params: unknown[] = []) =>
  house.pg.transaction(async (tx) => {
    await tx.exec("set local role postgres; set local session_replication_role = replica");
    await tx.query(sql, params);
  });

/** Statements of the owner that leave nothing behind. */
export async function undone(house: House, ...statements: string[]): Promise<void> {
  await house.pg.transaction(async (tx) => {
    await tx.exec("set local role postgres");
    for (const sql of statements) await tx.exec(sql);
    await tx.rollback();
  });
}

export const statusOfRequest = (house: House, code: string) =>
  one<string>(house, "select status as value from public.approval_requests where code = $1", [
    code,
  ]);
