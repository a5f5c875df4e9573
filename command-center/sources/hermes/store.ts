/** One profile's cron: what is configured, and what its runner says of itself. */
export interface CronStore {
  profile: string;
  jobs: CronJob[];
  /** Records that could not be understood: they are said to be there, not left out. */
  unreadable: number;
  updated_at: string | null;
  runner: CronRunner;
}

export interface CronRunner {
  heartbeat_at: string | null;
  /** The last turn that ended without an error. */
  last_success_at: string | null;
  interval_s: number;
}

export interface CronJob {
  id: string;
  name: string;
  schedule: string;
  kind: string;
  /** How far apart its runs are meant to be; null where the schedule does not say. */
  interval_s: number | null;
  enabled: boolean;
  /** The word of the registry: scheduled, paused, completed, or another. */
  state: string | null;
  paused_at: string | null;
  paused_reason: string | null;
  created_at: string | null;
  next_run_at: string | null;
  last_run_at: string | null;
  last_status: string | null;
  last_error: string | null;
  last_delivery_error: string | null;
  failure_streak: number | null;
  model: string | null;
  running: boolean;
}
