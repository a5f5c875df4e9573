// Several contestants, several rounds, one server: each round measures everyone, in another order each time, and a
// ratio is taken within a round.
import { median, rounded } from "../report/statistics.mjs";

/** Each round starts with another contestant. */
export const orderOf = (names, round) => names.map((_, i) => names[(i + round) % names.length]);

/**
 * `entries`: name → { measure(round) → { per_s, … } }. Whoever fails is skipped from then on with the reason; ours may
 * not fail.
 */
export async function contest({ entries, rounds, step }) {
  const results = new Map(Object.keys(entries).map((name) => [name, { rounds: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const name of orderOf(Object.keys(entries), round)) {
      const result = results.get(name);
      if (result.skipped) continue;
      step(`round ${round + 1}/${rounds}, ${name}`);
      try {
        result.rounds.push(await entries[name].measure(round));
      } catch (error) {
        if (name === "ags" || entries[name].required) throw error;
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
