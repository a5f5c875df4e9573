import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { breakersOf } from "../../../functions/_database/breakers.ts";
import { type Database, DatabaseError } from "../../../functions/_database/database.ts";
import { behindBreaker } from "../../../functions/_domain/breaker.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { freezeClock, type FrozenClock } from "../../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { administer } from "../../support/personas.ts";

let db: TestDatabase;
let clock: FrozenClock;
let at = 0;
const now = () => new Date(at);

beforeAll(async () => {
  db = await openTestDatabase();
  clock = await freezeClock(db, "2027-05-01T10:00:00.000Z");
});
afterAll(() => db.close());
beforeEach(async () => {
  at += 60_000;
  await clock.advance(3600);
  for (const tool of ["quotes.read", "chunks.search"]) {
    await administer(db, "reset_breaker($1, 'between tests', 'test')", [tool]);
    await db.database.call("report_call", { p_tool: tool, p_probe: null, p_outcome: "success" });
  }
});

/** A process of its own: its own memory, the same database. */
function process() {
  const calls: string[] = [];
  const database: Database = {
    call: (name, args) => {
      calls.push(name);
      return db.database.call(name, args);
    },
    close: () => Promise.resolve(),
  };
  return { calls, breakers: breakersOf({ database, now }) };
}

const away = () => Promise.reject(new Refusal("unavailable", "HTTP 503"));
const there = () => Promise.resolve("answer");
const fails = async (breakers: ReturnType<typeof breakersOf>, tool: string, times: number) => {
  for (let i = 0; i < times; i++) {
    await expect(behindBreaker(breakers, tool, away)).rejects.toMatchObject({
      code: "unavailable",
    });
  }
};

describe("breakers of several processes", () => {
  it("share one memory: three failures here and two there leave nobody a call", async () => {
    const [a, b, c] = [process(), process(), process()];
    await fails(a.breakers, "quotes.read", 3);
    await fails(b.breakers, "quotes.read", 2);
    const calls: string[] = [];
    const call = () => Promise.resolve(calls.push("made"));
    await expect(behindBreaker(c.breakers, "quotes.read", call)).rejects.toMatchObject({
      code: "breaker_open",
      about: { tool: "quotes.read", retry_after: 120 },
    });
    expect(calls).toEqual([]);
  });

  it("ask and tell about a tool outside call by call", async () => {
    const { calls, breakers } = process();
    for (let i = 0; i < 3; i++) await behindBreaker(breakers, "quotes.read", there);
    expect(calls).toEqual(Array(3).fill(["admit_call", "report_call"]).flat());
  });

  it("ask about the tools of the house once a second, and tell of no success while they are well", async () => {
    const { calls, breakers } = process();
    for (let i = 0; i < 20; i++) await behindBreaker(breakers, "chunks.search", there);
    await behindBreaker(breakers, "embed", there);
    expect(calls).toEqual(["breakers"]);
    at += 1000;
    await behindBreaker(breakers, "embed", there);
    expect(calls).toEqual(["breakers", "breakers"]);
  });

  it("tell of a failure of the house at once, and ask call by call until it is well again", async () => {
    const [a, b] = [process(), process()];
    await behindBreaker(a.breakers, "chunks.search", there);
    await fails(a.breakers, "chunks.search", 5);
    at += 1000;
    await expect(behindBreaker(b.breakers, "chunks.search", there)).rejects.toMatchObject({
      code: "breaker_open",
    });
    await expect(behindBreaker(a.breakers, "chunks.search", there)).rejects.toMatchObject({
      code: "breaker_open",
    });
    await clock.advance(120);
    expect(await behindBreaker(b.breakers, "chunks.search", there)).toBe("answer");
    at += 1000;
    expect(await behindBreaker(a.breakers, "chunks.search", there)).toBe("answer");
  });

  it("let one process probe, and the others wait for what it finds", async () => {
    const [a, b] = [process(), process()];
    await fails(a.breakers, "quotes.read", 5);
    await clock.advance(120);
    const leave = await a.breakers.admit("quotes.read");
    expect(leave.probe).not.toBeNull();
    await expect(b.breakers.admit("quotes.read")).rejects.toMatchObject({ code: "breaker_open" });
    await a.breakers.report(leave, "success");
    expect(await b.breakers.admit("quotes.read")).toEqual({ tool: "quotes.read", probe: null });
  });

  it("mask what a failure said", async () => {
    const { breakers } = process();
    const said = () => Promise.reject(new Refusal("unavailable", "no answer to ada@example.org"));
    await expect(behindBreaker(breakers, "quotes.read", said)).rejects.toThrow();
    const [{ kept }] = await db.owner<{ kept: string }>(
      "select recent_failures::text as kept from public.circuit_breakers where tool = 'quotes.read'",
    );
    expect(kept).not.toContain("ada@example.org");
    expect(kept).toContain("no answer to");
  });

  it("lose no answer because it could not be told of", async () => {
    const deaf: Database = {
      call: (name, args) =>
        name === "report_call"
          ? Promise.reject(new DatabaseError("40P01", "deadlock detected"))
          : db.database.call(name, args),
      close: () => Promise.resolve(),
    };
    const breakers = breakersOf({ database: deaf, now });
    expect(await behindBreaker(breakers, "quotes.read", there)).toBe("answer");
  });
});
