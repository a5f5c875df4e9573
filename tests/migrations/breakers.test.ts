import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { household } from "../support/household.ts";
import type { Answer } from "../support/line.ts";
import { administer } from "../support/personas.ts";

let db: TestDatabase;
let clock: FrozenClock;
const tool = "quotes.read";

beforeAll(async () => {
  db = await openTestDatabase();
  await household(db);
  clock = await freezeClock(db, "2027-05-01T10:00:00.000Z");
});
afterAll(() => db.close());
beforeEach(async () => {
  await clock.advance(3600);
  await reset();
});

const reset = async () => {
  await administer(db, "reset_breaker($1, 'between tests', 'test')", [tool]);
  await report("success");
};
const admit = () => db.database.call<Answer>("admit_call", { p_tool: tool });
const report = (p_outcome: string, p_probe: unknown = null, p_error = "no answer") =>
  db.database.call<Answer>("report_call", { p_tool: tool, p_probe, p_outcome, p_error });
const failAfter = async (...pauses: number[]) => {
  for (const pause of pauses) {
    await clock.advance(pause);
    await report("failure");
  }
};
const row = async () =>
  (await db.owner<Record<string, unknown>>(
    "select * from public.circuit_breakers where tool = $1",
    [tool],
  ))[0];
const openIt = () => failAfter(0, 1, 1, 1, 1);
const openAlerts = async () =>
  (await db.owner("select 1 from public.alerts where code = 'circuit_open' and closed_at is null"))
    .length;
const sweep = () => db.database.call("sweep");

describe("a breaker that opens", () => {
  it("refuses calls after five failures in a row within 60 seconds", async () => {
    await failAfter(0, 15, 15, 15, 15);
    expect(await admit()).toMatchObject({ refused: "breaker_open", tool, retry_after: 120 });
  });

  it("does not open by five failures over 61 seconds, nor by 60 seconds and a millisecond", async () => {
    await failAfter(0, 15, 15, 15, 16);
    expect(await admit()).toMatchObject({ admitted: true });
    await reset();
    await failAfter(0, 15, 15, 15, 15.001);
    expect(await admit()).toMatchObject({ admitted: true, failures: 5 });
  });

  it("looks at the last five, so that a slow beginning does not hide a fast end", async () => {
    await failAfter(0, 50, 5, 5, 5);
    expect((await row()).state).toBe("closed");
    await failAfter(5);
    expect((await row()).state).toBe("open");
  });

  it("does not open by four, nor by eight that a success divides", async () => {
    await failAfter(0, 1, 1, 1);
    expect(await admit()).toMatchObject({ admitted: true });
    await report("success");
    await failAfter(1, 1, 1, 1);
    expect(await admit()).toMatchObject({ admitted: true, failures: 4 });
  });

  it("counts what was let go as neither", async () => {
    await failAfter(0, 1, 1, 1);
    await report("released");
    expect(await admit()).toMatchObject({ failures: 4 });
    await failAfter(1);
    expect((await row()).state).toBe("open");
  });

  it("keeps what the last five said, and tells owner and operator once", async () => {
    const count = async () =>
      (await db.owner(
        "select 1 from public.notifications where payload_json ->> 'topic' = 'breaker_opened'",
      )).length;
    const before = await count();
    await failAfter(0, 1, 1, 1);
    await report("failure", null, "HTTP 502");
    expect((await row()).recent_failures).toHaveLength(5);
    expect((await row()).recent_failures).toMatchObject({ 4: { error: "HTTP 502" } });
    const told = await count() - before;
    expect(told).toBeGreaterThan(0);
    await clock.advance(120);
    await report("failure", (await admit()).probe);
    expect(await count()).toBe(before + told);
  });

  it("is not moved by what was admitted before and ends now", async () => {
    await openIt();
    const was = await row();
    await clock.advance(60);
    await report("failure");
    await report("success");
    expect(await row()).toEqual(was);
  });
});

describe("a breaker that asks whether its tool is back", () => {
  it("asks not before two minutes have passed", async () => {
    await openIt();
    await clock.advance(119.999);
    expect(await admit()).toMatchObject({ refused: "breaker_open", retry_after: 1 });
    await clock.advance(0.001);
    expect(await admit()).toMatchObject({ admitted: true, state: "half_open" });
  });

  it("asks once: everybody else waits for that answer", async () => {
    await openIt();
    await clock.advance(120);
    const answers = [];
    for (let i = 0; i < 50; i++) answers.push(await admit());
    expect(answers.filter(({ probe }) => probe)).toHaveLength(1);
    expect(answers.filter(({ refused }) => refused === "breaker_open")).toHaveLength(49);
  });

  it("closes by an answer, and forgets the failures", async () => {
    await openIt();
    await clock.advance(120);
    await report("success", (await admit()).probe);
    expect(await row()).toMatchObject({ state: "closed", consecutive_failures: 0, failed_at: [] });
    expect(await admit()).toMatchObject({ admitted: true, failures: 0 });
  });

  it("opens again by a failure, for two minutes more, and remembers since when", async () => {
    await openIt();
    const { first_opened_at } = await row();
    await clock.advance(130);
    await report("failure", (await admit()).probe);
    expect(await admit()).toMatchObject({ refused: "breaker_open", retry_after: 120 });
    expect((await row()).first_opened_at).toEqual(first_opened_at);
  });

  it("gives the probe of a dead holder out again after a minute, and refuses its late answer", async () => {
    await openIt();
    await clock.advance(120);
    const { probe } = await admit();
    await clock.advance(59.999);
    expect(await admit()).toMatchObject({ refused: "breaker_open" });
    await clock.advance(0.001);
    const second = await admit();
    expect(second.probe).not.toBe(probe);
    expect(await report("success", probe)).toMatchObject({ refused: "stale_lease" });
    expect((await row()).state).toBe("half_open");
    await report("success", second.probe);
    expect((await row()).state).toBe("closed");
  });

  it("gives a probe that learned nothing to the next who comes", async () => {
    await openIt();
    await clock.advance(120);
    await report("released", (await admit()).probe);
    expect(await admit()).toMatchObject({ admitted: true, state: "half_open" });
  });
});

describe("an open breaker and people", () => {
  it("rings after more than five minutes since it first opened, once, and stops by itself", async () => {
    await openIt();
    await clock.advance(150);
    await report("failure", (await admit()).probe);
    await clock.advance(150);
    await sweep();
    expect(await openAlerts()).toBe(0);
    await clock.advance(1);
    await db.owner(
      "update public.jobs set next_run_at = private.now() where job_name = 'tend_breakers'",
    );
    await sweep();
    expect(await openAlerts()).toBe(1);
    for (let i = 0; i < 3; i++) {
      await clock.advance(5);
      await sweep();
    }
    const [alert] = await db.owner<{ seen: number; severity: string }>(
      "select seen, severity from public.alerts where code = 'circuit_open' and closed_at is null",
    );
    expect(alert).toEqual({ seen: 1, severity: "warning" });
    await report("success", (await admit()).probe);
    expect(await openAlerts()).toBe(0);
  });

  it("is tripped and reset by a person, with a reason, on record", async () => {
    expect(await administer(db, "trip_breaker($1, ' ', 'cli:ada')", [tool])).toMatchObject({
      refused: "invalid_request",
    });
    expect(await administer(db, "trip_breaker('no.tool', 'why', 'cli:ada')", [])).toMatchObject({
      refused: "not_found",
    });
    expect(await administer(db, "trip_breaker($1, 'answers nonsense', 'cli:ada')", [tool]))
      .toMatchObject({ was: "closed", state: "open" });
    expect(await admit()).toMatchObject({ refused: "breaker_open" });
    expect(await administer(db, "reset_breaker($1, 'mended', 'cli:ada')", [tool]))
      .toMatchObject({ was: "open", state: "closed" });
    expect(await admit()).toMatchObject({ admitted: true });
    const rows = await db.owner<{ action: string }>(
      "select action from public.audit_logs where actor = 'cli:ada' and object = $1 and outcome = 'done' order by id",
      [`breaker:${tool}`],
    );
    expect(rows.map(({ action }) => action)).toEqual([
      "breaker.open",
      "breaker.reset",
      "breaker.close",
    ]);
  });

  it("is not moved by a worker: trip and reset are the administrator's", async () => {
    await expect(db.database.call("trip_breaker", { p_tool: tool, p_reason: "x", p_actor: "y" }))
      .rejects.toMatchObject({ code: "42501" });
  });

  it("writes one row a minute for the calls that it refuses", async () => {
    await openIt();
    const count = async () =>
      (await db.owner("select 1 from public.audit_logs where action = 'breaker.refuse'")).length;
    await clock.advance(61);
    const before = await count();
    for (let i = 0; i < 20; i++) await admit();
    expect(await count()).toBe(before + 1);
  });
});

describe("a breaker's row", () => {
  const forbidden = async (set: string) => {
    await expect(db.owner(`update public.circuit_breakers set ${set} where tool = $1`, [tool]))
      .rejects.toMatchObject({ code: "AGTRN" });
  };

  it("takes no edge that is not its own, whoever writes", async () => {
    await forbidden(
      "state = 'half_open', opened_at = private.now(), first_opened_at = private.now(), probe_token = gen_random_uuid(), probe_until = private.now()",
    );
    await openIt();
    await forbidden("state = 'closed', opened_at = null, first_opened_at = null");
    await forbidden(
      "state = 'half_open', changed_by = 'breaker', probe_token = gen_random_uuid(), probe_until = private.now()",
    );
    await clock.advance(120);
    await admit();
    await forbidden("probe_token = gen_random_uuid()");
    await forbidden("tool = 'other.tool'");
    await expect(db.owner("delete from public.circuit_breakers where tool = $1", [tool]))
      .rejects.toMatchObject({ code: "AGTRN" });
    await expect(
      db.owner(
        "insert into public.circuit_breakers (tool, state, opened_at, first_opened_at) values ('new.tool', 'open', now(), now())",
      ),
    ).rejects.toMatchObject({ code: "AGTRN" });
  });

  it("is not closed while it holds five failures within a minute", async () => {
    await expect(
      db.owner(
        "update public.circuit_breakers set consecutive_failures = 5, failed_at = array_fill(private.now(), array[5]) where tool = $1",
        [tool],
      ),
    ).rejects.toMatchObject({ constraint: "five_failures_within_a_minute_open_it" });
  });

  it("is not written by a success where nothing had failed", async () => {
    const count = async () => (await db.owner("select 1 from public.audit_logs")).length;
    const before = await count();
    await admit();
    await report("success");
    expect(await count()).toBe(before);
  });

  it("says how a call ended in the words that it knows", async () => {
    expect(await report("fine")).toMatchObject({ refused: "invalid_request" });
    expect(await db.database.call("admit_call", { p_tool: "no.tool" })).toMatchObject({
      refused: "invalid_request",
    });
  });
});
