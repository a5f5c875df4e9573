import { type Answer, handle, secondFactor, update } from "../support/line.ts";
import { db } from "./people.ts";

type More = Record<string, unknown>;

/** What a member writes to the bot, as the webhook hands it on. */
export const say = (from: string, intent: More, more: More = {}): Promise<Answer> =>
  handle(db, update(from, intent, more));

export const stop = (from = "1001", scope = "all", reason: string | null = "smoke") =>
  say(from, { type: "stop", scope, reason });

export const resume = (from: string, scope = "all", more: More = {}) =>
  say(from, { type: "resume", scope, reason: "it was steam" }, more);

export const breakGlass = (from: string, id: string, more: More = {}) =>
  say(from, { type: "breakglass", id, reason: "the position must be closed" }, more);

/** A yes with a right code of the confirmer's second device, unless the test gives another. */
export async function confirm(from: string, code: unknown, more: More = {}): Promise<Answer> {
  const proof = "second_factor" in more ? {} : { second_factor: await secondFactor(db, from) };
  return await say(from, { type: "confirm", code, decision: "approve" }, { ...proof, ...more });
}

export const decline = (from: string, code: unknown): Promise<Answer> =>
  say(from, { type: "confirm", code, decision: "reject" });

export async function stateOf(scope: string): Promise<string | undefined> {
  const [row] = await db.owner<{ state: string }>(
    "select state from public.emergency_stops where scope = $1",
    [scope],
  );
  return row?.state;
}

/** Both rows as they are on a platform that nobody has stopped. */
export async function runAgain(): Promise<void> {
  await db.owner(
    `insert into public.emergency_stops (scope, state, changed_by, reason)
     values ('all', 'running', 'test', 'set up'), ('t3', 'running', 'test', 'set up')
     on conflict (scope) do update set state = 'running'`,
  );
}

/** The announcements of one topic that are on record, oldest first, as their recipients and payloads. */
export const told = (topic: string) =>
  db.owner<{ recipient: string; payload: Record<string, string | null> }>(
    `select recipient, payload_json as payload from public.notifications
     where kind = 'announcement' and payload_json ->> 'topic' = $1 order by seq`,
    [topic],
  );

/** How many announcements of a topic one act added, by recipient. */
export async function newsOf(topic: string, act: () => Promise<unknown>): Promise<string[]> {
  const before = (await told(topic)).length;
  await act();
  return (await told(topic)).slice(before).map(({ recipient }) => recipient).sort();
}

export const actionsOn = async (object: string): Promise<string[]> =>
  (await db.owner<{ action: string }>(
    "select action from public.audit_logs where object = $1 order by id",
    [object],
  )).map(({ action }) => action);

export const owners = ["1002", "1024"];
export const deciders = ["1001", "1002", "1004", "1005", "1014", "1024"];
export const everybody = [...deciders, "1003"].sort();
