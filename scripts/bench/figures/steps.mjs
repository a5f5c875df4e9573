// Governed steps beside other people's no-op jobs and beside the bare statements: same server, same run, as many workers.
import { measureCeiling } from "../ceiling/ceiling.mjs";
import { ratioOfRounds } from "../report/statistics.mjs";
import { contest, ratesOf } from "./contest.mjs";
import { ownEntry, rivalEntries } from "./entries.mjs";

export const workers = 4;

export function ceilingEntry(bench, script, batch, waiting) {
  return {
    required: true,
    async measure() {
      const { url, drop } = await bench.databases.empty();
      try {
        const seconds = bench.options.quick ? 2 : 5;
        return await measureCeiling({ url, script, clients: workers, batch, seconds, waiting });
      } finally {
        await drop();
      }
    },
  };
}

export async function measureSteps(bench) {
  const { quick } = bench.options;
  const batch = 50;
  const jobs = {
    ags: quick ? 3_000 : 10_000,
    rival: quick ? 10_000 : 40_000,
    dbos: quick ? 600 : 6_000,
  };
  const results = await contest(bench, {
    ags: ownEntry(bench, "steps", { workers, batch, jobs: jobs.ags }),
    ...rivalEntries(bench, ["pg-boss", "graphile-worker", "dbos"], "steps", (name) => ({
      workers,
      batch,
      jobs: name === "dbos" ? jobs.dbos : jobs.rival,
    })),
    ceiling: ceilingEntry(bench, "step.sql", batch, 0),
    ceiling_without_insert: ceilingEntry(
      bench,
      "claim-complete.sql",
      batch,
      quick ? 200_000 : 600_000,
    ),
  }, quick ? 75 : Infinity);
  bench.step("statements and commits of a step");
  const counted = await ownEntry(bench, "countedSteps", {
    workers,
    batch,
    jobs: quick ? 2_000 : 10_000,
  }).measure();
  const ours = ratesOf(results.ags);
  const against = (name) =>
    results[name].skipped ? null : ratioOfRounds(ours, ratesOf(results[name]));
  return {
    batch,
    workers,
    results,
    counted: perStep(counted),
    ratios: {
      steps_vs_pgboss: against("pg-boss"),
      steps_vs_graphile: against("graphile-worker"),
      steps_vs_dbos: against("dbos"),
      steps_vs_ceiling: against("ceiling"),
    },
    vs_ceiling_without_insert: against("ceiling_without_insert"),
  };
}

export function perStep({ steps, round_trips, commits, statements }) {
  const each = (value) => Number((value / steps).toFixed(4));
  return {
    steps,
    round_trips_per_step: each(round_trips),
    commits_per_step: each(commits),
    statements_per_step: statements === null
      ? null
      : { from_the_client: each(statements.top), inside_functions: each(statements.nested) },
    wal_bytes_per_step: statements === null ? null : Math.round(statements.wal_bytes / steps),
    statements_note: statements === null
      ? "pg_stat_statements is not loaded on this server"
      : undefined,
  };
}
