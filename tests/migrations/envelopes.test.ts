import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventTypes, readEvent } from "../../functions/_domain/event.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { activate, addMember, archivedSignal } from "../support/line.ts";

let db: TestDatabase;
let taskId: string;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  taskId = await archivedSignal(db);
});
afterAll(() => db?.close());

const envelopes = () =>
  db.as<Record<string, unknown>>(
    "auditor",
    "select * from public.event_envelopes order by seq",
  );

describe("the envelopes of a whole line", () => {
  it("are each read as an event, from the task's creation to its archive", async () => {
    const rows = await envelopes();
    const read = rows.map((row) => readEvent(row));
    expect(read.filter(({ ok }) => !ok)).toEqual([]);
    expect(read).toEqual(rows.map(({ seq: _, ...event }) => ({ ok: true, event })));
    const types = rows.filter(({ task_id }) => task_id === taskId).map(({ event_type }) =>
      event_type
    );
    expect([types[0], types.at(-1)]).toEqual(["TASK_CREATED", "TASK_ARCHIVED"]);
    expect(types).toEqual(expect.arrayContaining(["STEP_DONE", "NEED_APPROVAL", "PUBLISH_OK"]));
  });

  it("would not be read with another version", async () => {
    for (const row of await envelopes()) {
      expect(readEvent({ ...row, schema_version: "2.0" }).ok).toBe(false);
    }
  });

  it("include that of an incident without a task", async () => {
    await db.owner(
      "insert into public.events (incident_id, type, agent, idempotency_key) values (gen_random_uuid(), 'INCIDENT_RAISED', 'orchestrator', 'incident:1')",
    );
    expect(readEvent((await envelopes()).at(-1))).toMatchObject({
      ok: true,
      event: { event_type: "INCIDENT_RAISED", task_id: null },
    });
  });

  it("know the types that the database knows", async () => {
    const [{ text }] = await db.owner<{ text: string }>(
      "select pg_get_constraintdef(oid) as text from pg_constraint where conname = 'event_type_is_known'",
    );
    expect([...text.matchAll(/'([A-Z_]+)'/g)].map(([, type]) => type)).toEqual([...eventTypes]);
  });
});
