import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { accept, activate, addMember, alertEvent, archivedSignal } from "../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
let task: string;
let key: string;
let keys = 0;

beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  clock = await freezeClock(db, "2027-05-01T10:00:00.000Z");
  ({ task_id: task } = await accept(db, alertEvent("BUY BTCUSDT")) as { task_id: string });
});
afterAll(() => db.close());
beforeEach(() => {
  key = `task:${++keys}`;
});

interface Memory {
  refused?: string;
  value?: unknown;
  kept?: boolean;
  expires_in_ms?: number;
}
const remember = (value: unknown, more: Record<string, unknown> = {}) =>
  db.database.call<Memory>("remember", {
    p_key: key,
    p_task_id: task,
    p_value: value,
    p_hours: 24,
    p_actor: "test",
    ...more,
  });
const recall = () => db.database.call<Memory | null>("recall", { p_key: key });
const plant = (hours: number) =>
  db.owner(
    "insert into public.working_memory (key, task_id, value, written_by, written_at, expires_at) values ($1, $2, '1', 'x', private.now(), private.now() + make_interval(secs => $3::double precision * 3600))",
    [key, task, hours],
  );

describe("a memory that is refused", () => {
  it.each([
    ["without a task", { p_task_id: null }],
    ["of a task that is not there", { p_task_id: "T-2020-01-01-0001" }],
    ["under a name that is none", { p_key: " " }],
    ["without a value", { p_value: null }],
    ["larger than 256 KiB", { p_value: "x".repeat(262_145) }],
  ])("is one %s", async (_, more) => {
    expect(await remember({ a: 1 }, more)).toMatchObject({ refused: "invalid_request" });
  });

  it.each([23.99, 48.01])("by SQL is one for %d hours", async (hours) => {
    await expect(plant(hours)).rejects.toThrow(/kept_between_24_and_48_hours/);
  });

  it("is written by no running function directly", async () => {
    await expect(db.as("service_role", "update public.working_memory set value = '2'")).rejects
      .toThrow(/permission denied/);
  });
});

describe("a memory", () => {
  it.each([[1, 24], [24, 24], [36, 36], [48, 48], [400, 48], [null, 24]])(
    "that is asked to stay %s hours stays %i",
    async (asked, stays) => {
      expect(await remember({ a: 1 }, { p_hours: asked })).toMatchObject({
        kept: true,
        expires_in_ms: stays * 3_600_000,
      });
    },
  );

  it("keeps its first value while it lives, and a later writer gets that one", async () => {
    await remember({ first: true });
    expect(await remember({ first: false })).toMatchObject({ kept: false, value: { first: true } });
  });

  it("is not readable from the moment it expires, purged or not, and may be made anew", async () => {
    await remember("old");
    await clock.advance(24 * 3600 - 1);
    expect(await recall()).toMatchObject({ value: "old", expires_in_ms: 1000 });
    await clock.advance(1);
    expect(await recall()).toBeNull();
    expect(await remember("new")).toMatchObject({ kept: true, value: "new" });
  });

  it("is gone when it is forgotten, and the log says by whom", async () => {
    await remember("x");
    const forget = () => db.database.call("forget", { p_key: key, p_actor: "petra" });
    expect(await forget()).toEqual({ key, forgotten: true });
    expect(await recall()).toBeNull();
    expect(await forget()).toEqual({ key, forgotten: false });
    expect(
      await db.owner(
        "select actor from public.audit_logs where action = 'memory.forget' and object = $1",
        [`memory:${key}`],
      ),
    ).toEqual([{ actor: "petra" }]);
  });
});

describe("the hourly purge", () => {
  it("removes what expired and what no open task owns, and nothing else", async () => {
    const ended = await archivedSignal(db);
    const expired = key;
    await remember("expired");
    await clock.advance(25 * 3600);
    key = `${expired}:orphan`;
    await remember("orphan", { p_task_id: ended });
    const orphan = key;
    key = `${expired}:lives`;
    const { task_id } = await accept(db, alertEvent("BUY SOLUSDT"));
    await remember("lives", { p_task_id: task_id });
    await db.owner("select private.purge_working_memory()");
    const left = (await db.owner<{ key: string }>("select key from public.working_memory")).map(
      (row) => row.key,
    );
    expect(left).toContain(key);
    expect(left).not.toContain(expired);
    expect(left).not.toContain(orphan);
  });
});
