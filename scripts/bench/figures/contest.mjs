// Several contestants, several rounds, one server: each round measures everyone, in another order each time, and a
// ratio is taken within a round.
import { median, rounded } from "../report/statistics.mjs";

/** Each round starts with another contestant. */
export const orderOf = (names, round) => names.map((_, i) => names[(i + round) % names.length]);

/**
 * `entries`: name → { measure(round) → { per_s, … } }. A rival that fails is skipped from then on, with the reason;
 * ours may not fail. No round is begun that would not end within the budget.
 */
export async function contest(bench, entries, budgetSeconds = Infinity) {
  const { rounds } = bench.options;
  const results = new Map(Object.keys(entries).map((name) => [name, { rounds: [] }]));
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    const spent = (performance.now() - began) / 1000;
    if (round > 0 && spent * (round + 1) / round > budgetSeconds) break;
    for (const name of orderOf(Object.keys(entries), round)) {
      const result = results.get(name);
      if (result.skipped) continue;
      bench.step(`round ${round + 1}/${rounds}, ${name}`);
      try {
        result.rounds.push(await entries[name].measure(round));
      } catch (error) {
        if (bench.ending() || entries[name].required) throw error;
        result.skipped = String(error.message).split("\n")[0].slice(0, 300);
        result.rounds = [];
      }
    }
  }
  for (const result of results.values()) {
    if (result.skipped) continue;
    const rates = result.rounds.map(({ per_s }) => per_s);
    result.per_s = rates.every(Number.isFinite) ? rounded(median(rates), 0) : undefined;
  }
  return Object.fromEntries(results);
}

export const ratesOf = (result) => result?.rounds?.map(({ per_s }) => per_s) ?? [];
