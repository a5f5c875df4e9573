import { Cron } from "croner";

/** The longest pause between two runs among the next few: what a schedule of weekdays promises over a weekend, too. */
const looked_ahead = 12;

/** How far apart the runs of a cron expression are at most, in seconds; null where it cannot be read. */
export function cronInterval(expr: string, zone: string | null, now: Date): number | null {
  const runs = nextRuns(expr, zone, now) ?? nextRuns(expr, null, now) ?? [];
  const gaps = runs.slice(1).map((run, index) => run.getTime() - runs[index].getTime());
  return gaps.length === 0 ? null : Math.max(...gaps) / 1000;
}

function nextRuns(expr: string, timezone: string | null, now: Date): Date[] | null {
  try {
    return new Cron(expr, { paused: true, ...timezone !== null && { timezone } })
      .nextRuns(looked_ahead, now);
  } catch (error) {
    // Croner says why a pattern or a zone is none; here either only means that no interval is known.
    if (error instanceof Error) return null;
    throw error;
  }
}
