import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { accept, activate, alertEvent } from "../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
const tasks: Record<string, string> = {};

/** A task of this tier that ended at once, with the events that it began with. */
async function ended(name: string, tier: string): Promise<void> {
  const { task_id } = await accept(db, alertEvent(`BUY ${name}`));
  await db.owner(
    "update public.tasks set status = 'cancelled', risk_tier = $2, ended_at = private.now() where task_id = $1",
    [task_id, tier],
  );
  tasks[name] = task_id as string;
}

beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  clock = await freezeClock(db, "2031-03-10T12:00:00Z");
  await ended("low", "T1");
  await ended("high", "T3");
  tasks.open = (await accept(db, alertEvent("BUY open"))).task_id as string;
});
afterAll(() => db?.close());

const move = async () =>
  (await db.owner<{ n: number }>("select private.move_old_payloads() as n"))[0].n;
const payloads = (task: string, from: string) =>
  db.owner(
    `select idempotency_key, ${from === "event_envelopes" ? "payload" : "payload_json"} as payload
     from public.${from} where task_id = $1 order by idempotency_key`,
    [tasks[task]],
  );

describe("what an old event carried", () => {
  it("stays for the policy's ninety days", async () => {
    await clock.set("2031-06-08T12:00:00Z");
    expect(await move()).toBe(0);
  });

  it("moves out whole on the next day and is read back under the same name", async () => {
    const before = await payloads("low", "event_envelopes");
    await clock.set("2031-06-09T12:00:00Z");
    expect(await move()).toBe(before.length);
    expect(await payloads("low", "event_envelopes")).toEqual(before);
    expect(new Set((await payloads("low", "events")).map((row) => JSON.stringify(row.payload))))
      .toEqual(new Set(['{"moved_to":"event_payloads"}']));
    expect(await move()).toBe(0);
  });

  it("stays where it is for T2 and T3, and for a task that has not ended", async () => {
    for (const task of ["high", "open"]) {
      expect(await payloads(task, "event_envelopes")).toEqual(await payloads(task, "events"));
    }
  });

  it("is changed by nobody else, not even in the words of the job", async () => {
    const set = "update public.events e set payload_json = private.moved_payload()";
    for (
      const statement of [
        `${set} where true`,
        `do $$ declare v_moved uuid[] := array(select event_id from public.events); begin ${set} where e.event_id = any (v_moved); end $$`,
        "update public.event_payloads set payload_json = '{}'",
        "delete from public.event_payloads",
        "truncate public.event_payloads",
        "truncate private.event_payloads_rest",
      ]
    ) await expect(db.owner(statement)).rejects.toMatchObject({ code: "AGHIS" });
  });

  it("is not taken away by a job that was made to keep nothing", async () => {
    const [{ text }] = await db.owner<{ text: string }>(
      "select pg_get_functiondef('private.move_old_payloads()'::regprocedure) as text",
    );
    await db.owner(text.replace("o.payload_json from old o", "'{}'::jsonb from old o"));
    await db.owner("update public.tasks set risk_tier = 'T1' where task_id = $1", [tasks.high]);
    await expect(move()).rejects.toMatchObject({ code: "AGHIS" });
    await db.owner(text);
    expect(await move()).toBeGreaterThan(0);
  });
});
