import { setTimeout as sleep } from "node:timers/promises";
import type { FaultedDatabase } from "./faulted-database.ts";
import { historyProblem, summary } from "./history-checker.ts";
import { type Breach, breaches, type Invariant, told } from "./invariants.ts";
import { isPending, type Outcome, type PendingRow, type Row } from "./row.ts";
import type { Scene } from "./scene.ts";

export type Verdict = "green" | "red" | "not injected" | "pending" | "not possible here";

export interface Result {
  id: number;
  fault: string;
  promise: string;
  injected: string;
  observed: string;
  verdict: Verdict;
  evidence: string[];
  breaches: Breach[];
  history: string | null;
  seconds: number;
}

export const isRed = ({ verdict }: { verdict: Verdict }) =>
  verdict === "red" || verdict === "not injected";

/** No row takes longer than this, whatever hangs in it. */
const longest = 180_000;

async function within(ms: number, work: Promise<Outcome>): Promise<Outcome> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`was not over after ${ms / 1000} s`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
    late.catch((error) => error);
  }
}

/** As the schedule would: lost leases are given back before anybody looks for what was lost. */
async function look(
  scene: Scene,
  database: FaultedDatabase,
  invariants: readonly Invariant[],
): Promise<Breach[]> {
  await database.database.call("sweep");
  const { acknowledged, sink } = database;
  const { canaries, said } = scene;
  return await database.lookedAt((session) =>
    breaches(session, invariants, { acknowledged, sink, canaries, said })
  );
}

async function inject(
  scene: Scene,
  row: Row,
  invariants: readonly Invariant[],
): Promise<Omit<Result, "seconds">> {
  const { id, fault, promise } = row;
  const about = { id, fault, promise };
  const nothing = { injected: "", observed: "", evidence: [], breaches: [], history: null };
  for (const need of row.needs) {
    const missing = await scene.missing(need);
    if (missing !== null) {
      return { ...about, ...nothing, verdict: "not possible here", observed: missing };
    }
  }
  scene.begin(id);
  try {
    const outcome = await within(longest, row.run(scene));
    const found: Breach[] = [];
    for (const database of [...scene.watched]) {
      found.push(...await look(scene, database, invariants));
    }
    const entries = scene.history.of(id);
    const problem = historyProblem(entries);
    const history = entries.some(({ op }) => op === "accept") ? problem ?? summary(entries) : null;
    const observed = [outcome.observed, problem, told(found)].filter(Boolean).join("; ");
    const kept = outcome.verdict === "green" && problem === null && found.length === 0;
    const verdict = outcome.evidence.length === 0 ? "not injected" : kept ? "green" : "red";
    return { ...about, ...outcome, observed, verdict, breaches: found, history };
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    scene.log(stack ?? message);
    return {
      ...about,
      ...nothing,
      verdict: "red",
      observed: `the row broke off: ${message.split("\n")[0]}`,
    };
  } finally {
    await scene.endRow();
  }
}

const waiting = ({ id, fault, promise, waits }: PendingRow): Result => ({
  id,
  fault,
  promise,
  injected: "",
  observed: `waits for ${waits}`,
  verdict: "pending",
  evidence: [],
  breaches: [],
  history: null,
  seconds: 0,
});

export async function runRows(
  scene: Scene,
  rows: readonly (Row | PendingRow)[],
  invariants: readonly Invariant[],
  tell: (result: Result) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const row of rows) {
    if (scene.closed) break;
    const began = performance.now();
    const result: Result = isPending(row)
      ? waiting(row)
      : { ...await inject(scene, row, invariants), seconds: 0 };
    result.seconds = Number(((performance.now() - began) / 1000).toFixed(1));
    results.push(result);
    tell(result);
  }
  return results;
}
