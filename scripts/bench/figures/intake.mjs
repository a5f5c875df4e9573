// A delivery that becomes a task with its plan of six steps, beside a rival's bare `send`.
import { ratioOfRounds } from "../report/statistics.mjs";
import { contest, ratesOf } from "./contest.mjs";
import { ownEntry, rivalEntries } from "./entries.mjs";

export async function measureIntake(bench) {
  const { quick } = bench.options;
  const clients = 16;
  const tasks = quick ? 600 : 2_000;
  const results = await contest(bench, {
    ags: ownEntry(bench, "intake", { clients, tasks }),
    ...rivalEntries(bench, ["pg-boss"], "intake", () => ({ clients, tasks: tasks * 4 })),
  }, quick ? 30 : Infinity);
  return {
    clients,
    results,
    ratios: {
      intake_vs_pgboss: results["pg-boss"].skipped
        ? null
        : ratioOfRounds(ratesOf(results.ags), ratesOf(results["pg-boss"])),
    },
  };
}
