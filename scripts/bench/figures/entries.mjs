// Who takes part in a contest, and on what: a new database each round, the same process throughout.
import { rivals } from "../rivals/install.mjs";

export function rivalEntries(bench, names, figure, options) {
  return Object.fromEntries(names.map((name) => [name, {
    async measure() {
      if (bench.rivalsProblem) throw new Error(bench.rivalsProblem);
      const contestant = bench.contestant(name, rivals[name].module);
      const { drop, ...database } = await bench.databases.empty();
      try {
        return await contestant.run(figure, { ...database, ...options(name) });
      } finally {
        await drop();
      }
    },
  }]));
}

/** `without`: SQL that takes something away from the database first; `limitMs`: for a figure that takes its time. */
export function ownEntry(bench, figure, options, { without = null, limitMs } = {}) {
  return {
    required: true,
    async measure() {
      const { drop, ...database } = await bench.databases.ours(without);
      try {
        return await bench.ags().run(figure, { ...database, ...options }, limitMs);
      } finally {
        await drop();
      }
    },
  };
}
