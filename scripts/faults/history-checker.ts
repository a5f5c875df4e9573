import type { Entry } from "./history.ts";

/** The fields of Jepsen's total-queue checker, by value. */
export interface Verdict {
  attempted: number;
  acknowledged: number;
  /** Acknowledged, and not there. */
  lost: string[];
  /** There, and never asked for. */
  unexpected: string[];
  /** There more often than once. */
  duplicated: string[];
  /** Nobody saw the answer, and it is there: allowed, as its absence would be. */
  recovered: string[];
  /** Asked for, and neither answered nor found: a maybe that turned out as no. */
  vanished: string[];
}

/**
 * What went in (`accept`) against what was there at the end (`found`). An `info` counts as maybe: it may be there or not. A
 * `fail` certainly did not happen, so what it asked for is unexpected when it is there.
 */
export function checkHistory(entries: readonly Entry[]): Verdict {
  const answers = new Map<string, Set<string>>();
  const found = new Map<string, number>();
  for (const { kind, op, value } of entries) {
    if (op === "accept") answers.set(value, (answers.get(value) ?? new Set()).add(kind));
    if (op === "found") found.set(value, (found.get(value) ?? 0) + 1);
  }
  const asked = [...answers];
  const was = (kinds: Set<string>, kind: string) => kinds.has(kind);
  const certainlyNot = (kinds: Set<string> | undefined) =>
    kinds === undefined || (was(kinds, "fail") && !was(kinds, "ok") && !was(kinds, "info"));
  return {
    attempted: asked.length,
    acknowledged: asked.filter(([, kinds]) => was(kinds, "ok")).length,
    lost: asked.filter(([value, kinds]) => was(kinds, "ok") && !found.has(value))
      .map(([value]) => value),
    unexpected: [...found.keys()].filter((value) => certainlyNot(answers.get(value))),
    duplicated: [...found].filter(([, times]) => times > 1).map(([value]) => value),
    recovered: asked.filter(([value, kinds]) => !was(kinds, "ok") && found.has(value))
      .filter(([, kinds]) => !certainlyNot(kinds)).map(([value]) => value),
    vanished: asked.filter(([value, kinds]) =>
      was(kinds, "info") && !was(kinds, "ok") && !found.has(value)
    )
      .map(([value]) => value),
  };
}

/** Effects that a sink saw more than once under one key. */
export function repeatedEffects(entries: readonly Entry[]): string[] {
  const seen = new Map<string, number>();
  for (const { kind, op, value } of entries) {
    if (op === "effect" && kind === "ok") seen.set(value, (seen.get(value) ?? 0) + 1);
  }
  return [...seen].filter(([, times]) => times > 1).map(([value]) => value);
}

/** In words, or null where nothing is wrong. */
export function historyProblem(entries: readonly Entry[]): string | null {
  const { lost, unexpected, duplicated } = checkHistory(entries);
  const repeated = repeatedEffects(entries);
  const problems = Object.entries({
    lost,
    unexpected,
    duplicated,
    "repeated at the sink": repeated,
  })
    .filter(([, values]) => values.length > 0)
    .map(([what, values]) => `${values.length} ${what} (${values[0]})`);
  return problems.length === 0 ? null : problems.join(", ");
}

/** Ends an entry whose answer was not seen without finding out: what an outcome of `accept` is when the call threw. */
export const summary = (entries: readonly Entry[]): string => {
  const { attempted, acknowledged, recovered, vanished } = checkHistory(entries);
  return `${attempted} asked, ${acknowledged} acknowledged, ${recovered.length} recovered, ${vanished.length} vanished`;
};
