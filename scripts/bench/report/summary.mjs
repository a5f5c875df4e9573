// The one object that the bench hands out, and the verdicts on it.
export const ratioNames = [
  "steps_vs_pgboss",
  "steps_vs_graphile",
  "steps_vs_dbos",
  "steps_vs_ceiling",
  "intake_vs_pgboss",
  "e2e_vs_dbos",
  "claim_depth",
  "held_snapshot_rate",
];

/** Every ratio by its name; null where a side was not measured. */
export function summaryOf({ figures, versions, server, durability, options, seconds }) {
  const measured = Object.assign({}, ...Object.values(figures).map(({ ratios }) => ratios ?? {}));
  const ratios = Object.fromEntries(ratioNames.map((name) => [name, measured[name] ?? null]));
  return { ratios, figures, versions, server, durability, options, seconds };
}

const atLeast = (aim) => ({ text: `≥ ${aim}`, holds: (value) => value >= aim });
const atMost = (aim) => ({ text: `≤ ${aim}`, holds: (value) => value <= aim });

/** What is reached for: a label, the aim, and where the value stands. */
const aim = (label, { text, holds }, read) => ({ label, text, holds, read });

const aims = [
  aim("steps/s against pg-boss", atLeast(1), (s) => s.ratios.steps_vs_pgboss),
  aim("steps/s against graphile-worker", atLeast(1), (s) => s.ratios.steps_vs_graphile),
  aim("steps/s against DBOS", atLeast(10), (s) => s.ratios.steps_vs_dbos),
  aim("steps/s against the bare ceiling", atLeast(0.5), (s) => s.ratios.steps_vs_ceiling),
  aim("unbatched against the ceiling", atLeast(0.5), (s) => s.figures.unbatched?.vs_ceiling),
  aim("intake against pg-boss send", atLeast(1.5), (s) => s.ratios.intake_vs_pgboss),
  aim("6 steps end to end, p50 against DBOS", atMost(0.8), (s) => s.ratios.e2e_vs_dbos),
  aim("enqueue to start, p50 ms", atMost(5), (s) => s.figures.start?.p50_ms),
  aim("enqueue to start, p99 ms", atMost(25), (s) => s.figures.start?.p99_ms),
  aim("claim p99, deep against 1000", atMost(1.5), (s) => s.ratios.claim_depth),
  aim("held snapshot, share of the rate", atLeast(0.9), (s) => s.ratios.held_snapshot_rate),
  aim(
    "held snapshot, hot table MB",
    atMost(64),
    (s) => s.figures.held?.hot_table?.with_indexes_mb,
  ),
  aim(
    "embedded T0 POST → archived, p50 ms",
    atMost(50),
    (s) => s.figures.embedded?.t0_post_to_archived?.p50_ms,
  ),
];

/** One row an aim: holds, short, or not measured. Short is said as short. */
export function verdictsOf(summary) {
  return aims.map(({ label, text, holds, read }) => {
    const value = read(summary) ?? null;
    return {
      label,
      value,
      aim: text,
      verdict: value === null ? "not measured" : holds(value) ? "holds" : "short",
    };
  });
}

const rates = (figure) =>
  Object.entries(figure?.results ?? {}).map(([name, { per_s, skipped }]) =>
    skipped ? `  ${name.padEnd(24)} skipped: ${skipped}` : `  ${name.padEnd(24)} ${per_s}/s`
  );

const partsOf = (figure) =>
  Object.entries(figure?.times_as_fast ?? {}).map(([name, times]) =>
    `  ${name.padEnd(24)} ${times} times the whole rate`
  );

/** The report for people: rates, then the table of aims. */
export function linesOf(summary) {
  const { figures } = summary;
  const lines = [];
  const section = (title, rows) => rows.length > 0 && lines.push(title, ...rows);
  section(
    `governed steps, batch ${figures.steps?.batch}, ${figures.steps?.workers} workers`,
    rates(figures.steps),
  );
  section(`unbatched, ${figures.unbatched?.workers} workers`, rates(figures.unbatched));
  section(`intake, ${figures.intake?.clients} at once`, rates(figures.intake));
  section("what each part costs", partsOf(figures.parts));
  if (figures.steps?.counted) {
    const { round_trips_per_step, commits_per_step, statements_per_step } = figures.steps.counted;
    const statements = statements_per_step === null
      ? "statements not counted: pg_stat_statements is not loaded"
      : `statements ${statements_per_step.from_the_client} from the client, ${statements_per_step.inside_functions} inside functions`;
    lines.push(
      `a step costs: round trips ${round_trips_per_step}, commits ${commits_per_step}, ${statements}`,
    );
  }
  for (const [name, { skipped, failed }] of Object.entries(figures)) {
    if (skipped) lines.push(`${name}: skipped, ${skipped}`);
    if (failed) lines.push(`${name}: failed, ${failed}`);
  }
  const rows = verdictsOf(summary);
  const wide = Math.max(...rows.map(({ label }) => label.length));
  lines.push("", `${"figure".padEnd(wide)}  ${"measured".padStart(10)}  aim`);
  for (const { label, value, aim, verdict } of rows) {
    lines.push(
      `${label.padEnd(wide)}  ${String(value ?? "–").padStart(10)}  ${aim.padEnd(7)} ${verdict}`,
    );
  }
  return lines;
}
