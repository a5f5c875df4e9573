import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { accept, activate, alertEvent, type Answer, policy, sha256 } from "../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  clock = await freezeClock(db, "2026-03-01T10:00:00Z");
});
beforeEach(() => clock.advance(7 * 86400));
afterAll(() => db.close());

const withId = (body: string, id: string) => alertEvent(body, { source_event_id: id });
const count = async (table: string) =>
  (await db.owner<{ n: number }>(`select count(*)::int as n from public.${table}`))[0].n;

describe("an event is refused with a value, a code and an audit row", () => {
  it.each<[string, Record<string, unknown> | null]>([
    ["no event at all", null],
    ["no source", { source: undefined }],
    ["a body hash that is none", { body_sha256: "abc" }],
    ["a body of 64 KiB and a byte", { body: "x".repeat(65537) }],
    ["a payload as large", { payload: { body: "x".repeat(65537) } }],
    ["no goal", { goal: "" }],
    ["a goal without end", { goal: "x".repeat(2001) }],
    ["no actor", { actor: null }],
    ["no action", { action: null }],
  ])("with %s", async (_what, more) => {
    const tasks = await count("tasks");
    const answer = await accept(db, more === null ? (null as never) : alertEvent("BUY", more));
    expect(answer).toMatchObject({ refused: "invalid_event" });
    expect(answer.reason).toMatch(/\.$/);
    expect(await count("tasks")).toBe(tasks);
    expect(await db.owner("select code, outcome from public.audit_logs order by id desc limit 1"))
      .toEqual([
        { code: "invalid_event", outcome: "refused" },
      ]);
  });

  it("whose action the policy does not name, and keeps the receipt", async () => {
    const answer = await accept(db, alertEvent("x", { action: "FLY" }));
    expect(answer).toMatchObject({ refused: "unclassified_action" });
    expect(
      await db.owner(
        "select outcome, code, task_id from public.event_receipts where receipt_id = $1",
        [answer.receipt_id],
      ),
    )
      .toEqual([{ outcome: "refused", code: "unclassified_action", task_id: null }]);
  });

  it("when the door found a problem, even one that the list of codes does not have", async () => {
    expect(
      await accept(
        db,
        alertEvent("x", { problem: { code: "unusable_alert", reason: "no symbol" } }),
      ),
    )
      .toMatchObject({ refused: "unusable_alert", reason: "no symbol" });
    expect(await accept(db, alertEvent("x", { problem: { code: "made_up", reason: "?" } })))
      .toMatchObject({ refused: "invalid_event" });
  });

  it("when its door has used up its tokens, and says how long to wait", async () => {
    const small = {
      ...policy,
      rate_limits: { ...policy.rate_limits, intake_per_minute: 60, intake_burst: 2 },
    };
    await activate(db, "small", small);
    const flood = (n: number) => accept(db, alertEvent(`FLOOD ${n}`, { source_name: "flood" }));
    expect(await flood(1)).not.toHaveProperty("refused");
    expect(await flood(2)).not.toHaveProperty("refused");
    expect(await flood(3)).toMatchObject({ refused: "rate_limited", retry_after: 1 });
    await clock.advance(0.999);
    expect(await flood(3)).toMatchObject({ refused: "rate_limited" });
    await clock.advance(0.001);
    expect(await flood(3)).not.toHaveProperty("refused");
    expect(await accept(db, alertEvent("OTHER DOOR"))).not.toHaveProperty("refused");
    await activate(db);
  });
});

describe("the same delivery is one task", () => {
  it("however often it comes within the window, each time counted", async () => {
    const first = await accept(db, alertEvent("BUY A"));
    for (let i = 0; i < 10; i++) {
      expect(await accept(db, alertEvent("BUY A"))).toMatchObject({
        task_id: first.task_id,
        duplicate: true,
      });
    }
    expect(
      await db.owner(
        "select outcome, count(*)::int as n, count(distinct idempotency_key)::int as keys from public.event_receipts where task_id = $1 group by 1 order by 1",
        [first.task_id],
      ),
    ).toEqual([{ outcome: "accepted", n: 1, keys: 1 }, { outcome: "duplicate", n: 10, keys: 1 }]);
    expect(
      await db.owner("select 1 from public.events where task_id = $1 and type = 'TASK_CREATED'", [
        first.task_id,
      ]),
    ).toHaveLength(1);
  });

  it.each([[59.999, true], [60, false]])("after %s seconds: %s", async (seconds, duplicate) => {
    const first = await accept(db, alertEvent("BUY EDGE"));
    await clock.advance(seconds);
    expect((await accept(db, alertEvent("BUY EDGE"))).duplicate).toBe(duplicate);
    expect(first.duplicate).toBe(false);
  });

  it("measured from the first delivery: repeats do not stretch the window", async () => {
    await accept(db, alertEvent("BUY SLIDE"));
    await clock.advance(50);
    expect((await accept(db, alertEvent("BUY SLIDE"))).duplicate).toBe(true);
    await clock.advance(50);
    expect((await accept(db, alertEvent("BUY SLIDE"))).duplicate).toBe(false);
  });

  it.each([[86399.999, true], [86400, false]])(
    "with an alert id, after %s seconds: %s",
    async (seconds, duplicate) => {
      await accept(db, withId("BUY ID", "42"));
      await clock.advance(seconds);
      expect((await accept(db, withId("BUY ID", "42"))).duplicate).toBe(duplicate);
    },
  );
});

describe("what differs is another task", () => {
  it("three bodies under one constant id are three tasks, the later ones marked", async () => {
    const answers: Answer[] = [];
    for (const body of ["BUY 1", "BUY 2", "BUY 3"]) {
      answers.push(await accept(db, withId(body, "constant")));
    }
    expect(new Set(answers.map(({ task_id }) => task_id)).size).toBe(3);
    expect(answers.map(({ id_reused }) => id_reused)).toEqual([false, true, true]);
  });

  it("the same words ten minutes apart are two tasks", async () => {
    const first = await accept(db, alertEvent("BUY WORDS"));
    await clock.advance(600);
    expect((await accept(db, alertEvent("BUY WORDS"))).task_id).not.toBe(first.task_id);
  });

  it("another door, another source, an id where there was none", async () => {
    const events = [
      alertEvent("BUY D"),
      alertEvent("BUY D", { source_name: "other" }),
      alertEvent("BUY D", { source: "desk" }),
      withId("BUY D", "7"),
    ];
    const ids = new Set();
    for (const event of events) ids.add((await accept(db, event)).task_id);
    expect(ids.size).toBe(4);
  });

  it("an id as long as a page is still an id, and two long ones differ", async () => {
    const long = "é".repeat(4000);
    const first = await accept(db, withId("BUY L", long));
    expect((await accept(db, withId("BUY L", long))).task_id).toBe(first.task_id);
    expect((await accept(db, withId("BUY L", `${long}x`))).task_id).not.toBe(first.task_id);
  });

  it("a body that was refused does not make the next one a repeat", async () => {
    await accept(db, alertEvent("BUY R", { action: "FLY" }));
    expect(await accept(db, alertEvent("BUY R"))).toMatchObject({ duplicate: false });
  });
});

describe("the requester", () => {
  it("is the account that the actor names, never a member whose name looks like its number", async () => {
    await db.as("administrator", "select api.add_member($1, 'test')", [
      JSON.stringify({ role: "operator", name: "5005" }),
    ]);
    await db.as("administrator", "select api.add_member($1, 'test')", [
      JSON.stringify({ role: "operator", name: "nina", telegram_user_id: "5005" }),
    ]);
    const { task_id } = await accept(db, alertEvent("BUY N", { actor: "telegram:5005" }));
    expect(
      await db.owner(
        "select m.name from public.tasks t join public.members m on m.person_id = t.requester_person_id where task_id = $1",
        [task_id],
      ),
    )
      .toEqual([{ name: "nina" }]);
  });

  it("is nobody where a machine asks", async () => {
    const { task_id } = await accept(db, alertEvent("BUY M"));
    expect(
      await db.owner("select requester_person_id from public.tasks where task_id = $1", [task_id]),
    ).toEqual([{ requester_person_id: null }]);
  });
});

describe("without an active policy", () => {
  it("an event is stored all the same, under the strictest tier", async () => {
    const bare = await openTestDatabase();
    const answer = await accept(bare, alertEvent("BUY", { body_sha256: sha256("BUY") }));
    expect(answer).toMatchObject({ duplicate: false, status: "created" });
    expect(await bare.owner("select risk_tier from public.tasks")).toEqual([{ risk_tier: "T3" }]);
    await bare.close();
  });
});
