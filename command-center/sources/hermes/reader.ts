import { join } from "node:path";
import { blind, type Reader, type Reading, seen } from "../../truth/reading.ts";
import { readArtifact } from "../artifact.ts";
import { instantOf } from "../instant.ts";
import { parsed } from "../json.ts";
import { within } from "../polled.ts";
import { reasonOf, Unanswered } from "../unanswered.ts";
import { jobsOf } from "./jobs.ts";
import type { CronStore } from "./store.ts";
import { store } from "./wire.ts";

export interface ProfileScope {
  profile: string;
  /** The folder that holds jobs.json and the marks of the runner. */
  cron_dir: string;
  /** How often the runner turns. */
  interval_s: number;
  timeout_ms: number;
}

const max_jobs_bytes = 8_388_608;
const max_mark_bytes = 256;
/** A runner that missed three turns is not to be counted on. */
const missed_turns = 3;

/** The cron of one Hermes profile, out of its files. The runner's heartbeat is the time of all of it. */
export function hermesProfile(
  { profile, cron_dir, interval_s, timeout_ms }: ProfileScope,
): Reader<CronStore> {
  const origin = { source: `hermes:${profile}`, max_age_s: missed_turns * interval_s };

  async function look(now: Date, signal: AbortSignal): Promise<Reading<CronStore>> {
    const [file, heartbeat_at, last_success_at] = await Promise.all([
      readArtifact(join(cron_dir, "jobs.json"), max_jobs_bytes, signal),
      mark(join(cron_dir, "ticker_heartbeat"), signal),
      mark(join(cron_dir, "ticker_last_success"), signal),
    ]);
    if (file === null) throw new Unanswered("there is no jobs.json");
    const { jobs: records, updated_at } = parsed(store, file.text, "jobs.json");
    const { jobs, unreadable } = jobsOf(records, now);
    const partial = [
      ...heartbeat_at === null ? ["no runner has left a heartbeat that can be read"] : [],
      ...unreadable > 0 ? [`${unreadable} of its jobs cannot be read`] : [],
    ].join("; ");
    return seen({
      ...origin,
      now,
      // Without a runner the registry still says what should run; its own time is the last word then, and never a fresh one.
      observed_at: heartbeat_at ?? instantOf(updated_at) ?? file.modified_at,
      partial: partial === "" ? null : partial,
      value: {
        profile,
        jobs,
        unreadable,
        updated_at: instantOf(updated_at),
        runner: { heartbeat_at, last_success_at, interval_s },
      },
    });
  }

  return {
    source: origin.source,
    async read(now, signal) {
      try {
        return await within(timeout_ms, (late) => look(now, AbortSignal.any([signal, late])));
      } catch (error) {
        return blind({ ...origin, reason: reasonOf(error) });
      }
    },
  };
}

/** Seconds since 1970 as the first word of the file; a process id may follow. */
async function mark(path: string, signal: AbortSignal): Promise<string | null> {
  const file = await readArtifact(path, max_mark_bytes, signal);
  return file === null ? null : instantOf(file.text.trim().split(/\s+/)[0]);
}
