import { openTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { household } from "../../tests/support/household.ts";
import * as line from "../../tests/support/line.ts";
import type { Entry } from "./history.ts";
import { checkHistory, historyProblem, repeatedEffects } from "./history-checker.ts";
import {
  breaches,
  type Invariant,
  loadInvariants,
  nothingOutside,
  type Outside,
} from "./invariants.ts";
import { plants } from "./plants.ts";

export interface Caught {
  plant: string;
  caught: boolean;
  by: string;
}

/** A house where everything has happened once, rightly: archived, at the gate, failed, stopped and running again. */
async function cleanHouse(db: TestDatabase): Promise<void> {
  await household(db);
  await line.archivedSignal(db);
  await line.signalAtGate(db);
  const { work } = await line.approvedSignal(db);
  const { effect_id } = await line.reserve(db, work);
  await line.start(db, effect_id, work);
  await line.accept(db, line.alertEvent("read", { source: "desk", action: "READ" }));
  await line.runToGate(db);
  await line.handle(db, line.update("1001", { type: "stop", scope: "all", reason: "x" }));
  await db.owner("update public.emergency_stops set state = 'running'");
}

async function found(
  pg: TestDatabase["pg"],
  invariants: readonly Invariant[],
  statements: string[],
  outside: Outside,
) {
  let seen: Awaited<ReturnType<typeof breaches>> = [];
  await pg.transaction(async (tx) => {
    await tx.exec("set local role postgres; set local session_replication_role = replica");
    for (const sql of statements) await tx.exec(sql);
    seen = await breaches(
      { run: async (text, params) => (await tx.query<Record<string, unknown>>(text, params)).rows },
      invariants,
      outside,
    );
    await tx.rollback();
  });
  return seen;
}

/** Each invariant with rows that break it, written with the triggers off, and the same house without them. */
async function plantedRows(): Promise<Caught[]> {
  const invariants = await loadInvariants();
  const db = await openTestDatabase();
  try {
    await cleanHouse(db);
    const clean = await found(db.pg, invariants, [], nothingOutside);
    const results: Caught[] = [{
      plant: "nothing is planted: nothing is found",
      caught: clean.length === 0,
      by: clean.map(({ invariant, finding }) => `${invariant}: ${finding}`).join("; ") || "nobody",
    }];
    for (const { invariant, finding, sql, outside } of plants) {
      const seen = await found(db.pg, invariants, sql, { ...nothingOutside, ...outside });
      const right = seen.filter((breach) =>
        breach.invariant === invariant && breach.finding === finding
      );
      results.push({
        plant: `${invariant}: ${finding}`,
        caught: right.length > 0,
        by: right[0]?.object ??
          (seen.map((breach) => `${breach.invariant}: ${breach.finding}`).join("; ") || "nobody"),
      });
    }
    for (const { id } of invariants) {
      const proven = plants.some(({ invariant }) => invariant === id);
      if (!proven) results.push({ plant: `${id} has a plant`, caught: false, by: "nobody" });
    }
    return results;
  } finally {
    await db.close();
  }
}

const entry = (kind: Entry["kind"], op: string, value: string): Entry => ({
  row: 0,
  at: "2027-01-01T00:00:00Z",
  kind,
  process: "planted",
  op,
  value,
});
const accepted = (
  value: string,
) => [entry("invoke", "accept", value), entry("ok", "accept", value)];
const there = (value: string) => entry("ok", "found", value);

const histories: [string, Entry[], string, (entries: Entry[]) => string[]][] = [
  ["lost", accepted("a"), "a", (all) => checkHistory(all).lost],
  [
    "unexpected",
    [...accepted("a"), there("a"), there("b")],
    "b",
    (all) => checkHistory(all).unexpected,
  ],
  [
    "unexpected after a refusal",
    [entry("invoke", "accept", "a"), entry("fail", "accept", "a"), there("a")],
    "a",
    (all) => checkHistory(all).unexpected,
  ],
  [
    "duplicated",
    [...accepted("a"), there("a"), there("a")],
    "a",
    (all) => checkHistory(all).duplicated,
  ],
  [
    "recovered",
    [entry("invoke", "accept", "a"), entry("info", "accept", "a"), there("a")],
    "a",
    (all) => checkHistory(all).recovered,
  ],
  [
    "vanished",
    [entry("invoke", "accept", "a"), entry("info", "accept", "a")],
    "a",
    (all) => checkHistory(all).vanished,
  ],
  [
    "repeated at the sink",
    [entry("ok", "effect", "k"), entry("ok", "effect", "k")],
    "k",
    repeatedEffects,
  ],
];

/** Each field of the history checker with a history that shows it, and one where nothing is wrong. */
function plantedHistories(): Caught[] {
  const clean = [
    ...accepted("a"),
    there("a"),
    entry("invoke", "accept", "b"),
    entry("info", "accept", "b"),
  ];
  const problem = historyProblem(clean);
  return [
    {
      plant: "a history in order, one outcome unknown",
      caught: problem === null,
      by: problem ?? "nobody",
    },
    ...histories.map(([plant, entries, wanted, read]) => {
      const values = read(entries);
      return {
        plant: `history: ${plant}`,
        caught: values.length === 1 && values[0] === wanted,
        by: values.join() || "nobody",
      };
    }),
  ];
}

export async function provePlanted(say: (text: string) => void): Promise<Caught[]> {
  const results = [...await plantedRows(), ...plantedHistories()];
  for (const { plant, caught, by } of results) {
    say(`${caught ? "caught" : "MISSED"}  ${plant}${caught ? "" : ` (${by})`}`);
  }
  const missed = results.filter(({ caught }) => !caught).length;
  say(
    `${missed === 0 ? "green" : "RED"}: ${
      results.length - missed
    } of ${results.length} plants are caught`,
  );
  return results;
}
