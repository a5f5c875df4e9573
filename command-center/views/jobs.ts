import type { JobFact, JobState } from "../facts/job.ts";
import { jobState } from "../projection/job-state.ts";
import type { Figure } from "../truth/figure.ts";
import type { Reading } from "../truth/reading.ts";
import { type Asked, matches, sorted } from "./asked.ts";
import { type Level, urgency } from "./level.ts";
import { type Note, noteOf, telling } from "./telling.ts";

export interface JobRow {
  key: string;
  level: Level;
  state_word: JobState;
  order: Record<string, string | number>;
  name: Figure<string>;
  from: Figure<string>;
  schedule: Figure<string>;
  state: Figure<JobState>;
  drift: Figure<string>;
  desired: Figure<string>;
  actual: Figure<string>;
  last_run: Figure<string>;
  last_result: Figure<string>;
  next_run: Figure<string>;
  reason: Figure<string>;
}

export interface JobView {
  rows: JobRow[];
  notes: Note[];
}

export function jobView(
  readings: readonly Reading<readonly JobFact[]>[],
  asked: Asked,
  now: Date,
): JobView {
  const rows = readings.flatMap((reading) =>
    reading.status === "unknown" ? [] : reading.value
      .filter(({ name, schedule, failure }) =>
        matches(asked.search, name, schedule, failure, reading.source)
      )
      .map((fact) => rowOf(reading, fact, now))
      .filter(({ state_word }) => asked.only === null || state_word === asked.only)
  );
  return {
    rows: sorted(rows, asked.sort, "urgency"),
    notes: readings.map((reading) => noteOf(reading, "jobs")),
  };
}

function rowOf(reading: Reading<unknown>, fact: JobFact, now: Date): JobRow {
  const verdict = jobState(fact, now);
  const key = `${reading.source}/${fact.id}`;
  const say = telling(reading, {
    id: fact.id,
    href: fact.href ?? `/command/cron#${anchorOf(key)}`,
  });
  const level = levelOf(verdict.state, reading);
  return {
    key: anchorOf(key),
    level,
    state_word: verdict.state,
    order: {
      urgency: urgency(level),
      name: fact.name,
      state: verdict.state,
      last: fact.last_run_at ?? "",
      next: fact.next_run_at ?? "",
    },
    name: say(fact.name, { leads: true }),
    from: say(reading.source),
    schedule: say(fact.schedule),
    state: say(verdict.state === "unknown" ? null : verdict.state, {
      because: "whether anything runs it cannot be seen",
    }),
    drift: say(verdict.drift.join("; ") || "none"),
    desired: say(fact.desired),
    actual: say(verdict.actual),
    last_run: say(fact.last_run_at, { because: "no run is on record" }),
    last_result: say(fact.last_result, { because: "no run is on record" }),
    next_run: say(fact.next_run_at, { because: "the schedule does not say" }),
    reason: say(verdict.reason ?? reading.reason ?? "none"),
  };
}

export const anchorOf = (key: string): string => key.replaceAll(/[^A-Za-z0-9_-]+/g, "-");

function levelOf(state: JobState, reading: Reading<unknown>): Level {
  if (state === "failing" || state === "drifting") return "red";
  if (state === "stale") return "amber";
  if (state === "unknown" || reading.status !== "live") return "unknown";
  return state === "paused" ? "amber" : "good";
}
