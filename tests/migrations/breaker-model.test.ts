import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { breakerModel, type Happening, installPlayer, play } from "../support/breaker-model.ts";
import { freezeClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

/** How many single happenings are played in all: BREAKER_STEPS=1000000 takes the better part of an hour. */
const longest = 60;
const steps = Number(process.env.BREAKER_STEPS ?? 10_000);
const seed = Number(process.env.BREAKER_SEED ?? 20_261_121);

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await freezeClock(db, "2027-05-01T10:00:00.000Z");
  await installPlayer(db);
});
afterAll(() => db.close());

// Waits lie around the edges of the rules: a fifth of a minute, the rest, the probe's lease, and a millisecond on either side.
const wait = fc.constantFrom(0, 1, 999, 14_999, 15_000, 15_001, 59_999, 60_000, 119_999, 120_000)
  .map((ms): Happening => ({ does: "wait", ms }));
const admit = fc.constant<Happening>({ does: "admit" });
const report = fc.record({
  does: fc.constant("report" as const),
  // Mostly the newest admission ends, sometimes an old one.
  back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(9) }),
  outcome: fc.constantFrom(
    "success" as const,
    "failure" as const,
    "failure" as const,
    "released" as const,
  ),
});
const failing: fc.Arbitrary<Happening[]> = fc.array(
  fc.constantFrom(0, 1, 12_000, 15_000, 15_001).map((ms): Happening[] => [
    { does: "wait", ms },
    { does: "admit" },
    { does: "report", back: 0, outcome: "failure" },
  ]),
  { minLength: 3, maxLength: 7 },
).map((parts) => parts.flat());
const byHand = fc.constantFrom<Happening>({ does: "trip" }, { does: "reset" });
const story = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: wait.map((one) => [one]) },
    { weight: 5, arbitrary: admit.map((one) => [one]) },
    { weight: 5, arbitrary: report.map((one) => [one]) },
    { weight: 3, arbitrary: failing },
    { weight: 1, arbitrary: byHand.map((one) => [one]) },
  ),
  { minLength: 8, maxLength: longest, size: "max" },
).map((parts) => parts.flat());

const model = (happenings: Happening[]) => {
  const step = breakerModel();
  return happenings.map(step);
};

describe("the breaker in SQL and its rules in a second wording", () => {
  it("see the same after every step of every story", async () => {
    let played = 0;
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(story, async (happenings) => {
        if (played >= steps) return;
        played += happenings.length;
        const seen = await play(db, "quotes.read", happenings);
        seen.forEach(({ answer, state }) => reached.add(`${state} ${answer}`));
        expect(seen).toEqual(model(happenings));
      }),
      { seed, numRuns: Math.ceil(steps / 8) },
    );
    expect(played).toBeGreaterThanOrEqual(steps);
    // A story that never opened it would show nothing.
    for (
      const state of ["closed admitted", "open refused", "half_open probe", "half_open refused"]
    ) {
      expect([...reached]).toContain(state);
    }
    console.log(`${played} steps, seed ${seed}`);
  }, 3_600_000);

  it("leave an audit row for every move, and no move that is not an edge", async () => {
    const rows = await db.owner<{ before: string; after: string }>(
      `select before_json ->> 'state' as before, after_json ->> 'state' as after from public.audit_logs
       where object = 'breaker:quotes.read' and outcome = 'done' and after_json ? 'state' and before_json ? 'state'`,
    );
    const edges = await db.owner<{ edge: string }>(
      "select from_status || ' ' || to_status as edge from private.transitions where subject = 'breaker'",
    );
    expect(rows.length).toBeGreaterThan(0);
    const known = new Set(edges.map(({ edge }) => edge));
    expect(rows.filter(({ before, after }) => !known.has(`${before} ${after}`))).toEqual([]);
  });

  it.each([
    ["opens at the fourth failure", "cardinality(v_times) = 5", "cardinality(v_times) = 4"],
    [
      "counts a minute and a millisecond",
      "<= interval '60 seconds'",
      "<= interval '60.001 seconds'",
    ],
  ])("would differ where SQL %s", async (_, find, put) => {
    const [{ text }] = await db.owner<{ text: string }>(
      "select pg_get_functiondef('private.count_failure(public.circuit_breakers, text)'::regprocedure) as text",
    );
    expect(text.split(find)).toHaveLength(2);
    await db.owner(
      "alter table public.circuit_breakers drop constraint five_failures_within_a_minute_open_it",
    );
    await db.owner(text.replace(find, put));
    const edge: Happening[] = [0, 15_000, 15_000, 15_000, 15_001].flatMap((ms) => [
      { does: "wait", ms },
      { does: "admit" },
      { does: "report", back: 0, outcome: "failure" },
    ]);
    const fourth = edge.slice(0, 12);
    const differs = [edge, fourth].map(async (happenings) =>
      JSON.stringify(await play(db, "embed", happenings)) !== JSON.stringify(model(happenings))
    );
    expect((await Promise.all(differs)).some(Boolean)).toBe(true);
    await db.owner(text);
    await db.owner(
      "alter table public.circuit_breakers add constraint five_failures_within_a_minute_open_it check (true)",
    );
  });
});
