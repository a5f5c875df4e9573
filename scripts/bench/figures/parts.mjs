// What each guarantee costs: governed steps beside the same steps on databases that lack one of them. Nobody runs without;
// it says where the distance to a bare queue lies. Which rows are written is the same, but for the audit's.
import { ratioOfRounds } from "../report/statistics.mjs";
import { contest, ratesOf } from "./contest.mjs";
import { ownEntry } from "./entries.mjs";
import { workers } from "./steps.mjs";

const triggers = (named) => `
  do $$ declare t record; begin
    for t in select tgrelid::regclass as of_table, tgname from pg_catalog.pg_trigger where not tgisinternal and tgname ~ '${named}' loop
      execute format('alter table %s disable trigger %I', t.of_table, t.tgname);
    end loop;
  end $$;`;
const constraints = (kind) => `
  do $$ declare c record; begin
    for c in select conrelid::regclass as of_table, conname from pg_catalog.pg_constraint
      where contype = '${kind}' and conrelid <> 0 and conparentid = 0 and coninhcount = 0 loop
      execute format('alter table %s drop constraint %I', c.of_table, c.conname);
    end loop;
  end $$;`;

/** What is taken away in each database. */
const parts = {
  audit: triggers("audit"),
  guards: triggers("guard|frozen"),
  checks: constraints("c"),
  foreign_keys: constraints("f"),
};

export async function measureParts(bench) {
  const { quick } = bench.options;
  const options = { workers, batch: 50, jobs: quick ? 2_000 : 10_000 };
  const entry = (without) => ownEntry(bench, "steps", options, { without });
  const results = await contest(bench, {
    whole: entry(),
    ...Object.fromEntries(
      Object.entries(parts).map(([name, sql]) => [`without_${name}`, entry(sql)]),
    ),
    without_any: entry(Object.values(parts).join("")),
  });
  const whole = ratesOf(results.whole);
  const faster = Object.entries(results).filter(([name]) => name !== "whole")
    .map(([name, result]) => [name, ratioOfRounds(ratesOf(result), whole)]);
  return { ...options, results, times_as_fast: Object.fromEntries(faster) };
}
