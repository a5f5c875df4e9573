import type { Json } from "../_domain/json.ts";

export type Standing = "healthy" | "degraded" | "unknown" | "unhealthy";

/** What `api.health` answers, as far as it is judged here. */
export interface Observed {
  observed_at: string;
  database_now: string;
  policy_sha256: string | null;
  tables: Record<string, number>;
  open: { effects_unknown: number; requests_open: number; [key: string]: Json };
  mirror: { assets: number; any_assets: number; sample: Json; synced_at: string | null };
  members: { active: number; unreachable: Json[] };
  jobs: { job_name: string; last_run_at: string | null; last_status: string | null }[] | null;
  /** Missing where the database is older than this process. */
  emergency?: Emergency;
  reliability?: Reliability;
}

interface Emergency {
  all: string;
  t3: string;
  t3_execution: string;
  critical_alerts: number;
  pending_policy: number;
  overdue_secrets: number;
  effects_held: number;
}

interface Reliability {
  breakers: Json[];
  waiting_for_tools: number;
  dead_letters: number;
  paused: Json[];
  workers: number;
  last_beat_at: string | null;
  failing: Json[];
  stray_rows: number;
}

export interface Finding {
  status: Standing;
  observed_at: string;
  [key: string]: unknown;
}

/** The parts of a report, in its order. A report has all of them, whatever was seen. */
export const parts = [
  "database",
  "tables",
  "policy",
  "clock",
  "mirror",
  "members",
  "open",
  "jobs",
  "emergency",
  "reliability",
  "redis",
] as const;
export type Report = Record<typeof parts[number], Finding>;

export interface Beside {
  policy_sha256: string | null;
  mirror_configured: boolean;
  /** Null where none is configured. */
  redis: "up" | "down" | null;
  before: Date;
  after: Date;
}

const maxSkewMs = 2_000;

// Unknown is worse than healthy, since it may be anything, and better than what is known to be wrong.
const order: Standing[] = ["healthy", "unknown", "degraded", "unhealthy"];

export const worst = (standings: readonly Standing[]): Standing =>
  order[Math.max(0, ...standings.map((standing) => order.indexOf(standing)))];

/** The worst of the parts. A Redis that was never set up is shown as unknown, and nothing depends on it. */
export const standingOf = (report: Report): Standing =>
  worst(
    parts.filter((part) => part !== "redis" || report.redis.status !== "unknown")
      .map((part) => report[part].status),
  );

/** Without the database nothing else was seen: looked at, and not known. */
export function unseen(observed_at: string): Report {
  const entries = parts.map((part) => [part, { status: "unknown", observed_at }]);
  return { ...Object.fromEntries(entries), database: { status: "unhealthy", observed_at } };
}

/** Judges what the database told against what this process knows. */
export function findings(observed: Observed, beside: Beside): Report {
  const { observed_at } = observed;
  const finding = (status: Standing, facts: Record<string, unknown>): Finding => ({
    status,
    observed_at,
    ...facts,
  });
  const { open, members, mirror } = observed;
  const jobs = observed.jobs ?? [];
  return {
    database: finding("healthy", { answered_ms: +beside.after - +beside.before }),
    tables: finding("healthy", { counts: observed.tables }),
    policy: finding(policyStanding(observed, beside), {
      bundled: beside.policy_sha256,
      active: observed.policy_sha256,
    }),
    clock: clock(observed, beside),
    mirror: finding(mirrorStanding(mirror, beside), { prefix: "dags/", ...mirror }),
    members: finding(membersStanding(observed), members),
    open: finding(open.effects_unknown > 0 ? "degraded" : "healthy", open),
    jobs: finding(
      worst(
        jobs.map(({ last_run_at, last_status }) =>
          last_run_at === null ? "unknown" : last_status === "error" ? "degraded" : "healthy"
        ),
      ),
      { jobs },
    ),
    emergency: finding(emergencyStanding(observed.emergency), { ...observed.emergency }),
    reliability: finding(reliabilityStanding(observed.reliability), { ...observed.reliability }),
    redis: finding(redisStanding(beside.redis), { state: beside.redis ?? "unknown" }),
  };
}

/** Where nobody is a member nobody can decide; that hurts as soon as something waits for a decision. */
function membersStanding({ members, open }: Observed): Standing {
  if (members.active === 0) return open.requests_open > 0 ? "degraded" : "unknown";
  return members.unreachable.length > 0 ? "degraded" : "healthy";
}

/** Without the one active policy nothing is planned, decided or reserved. */
const policyStanding = (observed: Observed, beside: Beside): Standing =>
  beside.policy_sha256 !== null && beside.policy_sha256 === observed.policy_sha256
    ? "healthy"
    : "unhealthy";

/** What a person must look at, whatever else works. A stop that cannot be read holds like one, so it shows like one. */
function emergencyStanding(emergency: Emergency | undefined): Standing {
  if (emergency === undefined) return "unknown";
  const { all, t3, critical_alerts, overdue_secrets, effects_held } = emergency;
  const isStopped = all !== "running" || t3 !== "running";
  return isStopped || critical_alerts + overdue_secrets + effects_held > 0 ? "degraded" : "healthy";
}

/** What waits, is paused or keeps failing is not lost, and somebody has to look. */
function reliabilityStanding(reliability: Reliability | undefined): Standing {
  if (reliability === undefined) return "unknown";
  const { breakers, paused, failing, dead_letters, waiting_for_tools } = reliability;
  const troubles = breakers.length + paused.length + failing.length + dead_letters +
    waiting_for_tools;
  if (troubles > 0) return "degraded";
  return reliability.workers > 0 ? "healthy" : "unknown";
}

/** Nothing is lost without it: what it would have done the database does. */
const redisStanding = (state: Beside["redis"]): Standing =>
  state === null ? "unknown" : state === "up" ? "healthy" : "degraded";

/** The database answered at some moment between the two readings of our own clock; the middle is the best guess. */
function clock(observed: Observed, { before, after }: Beside): Finding {
  const skew_ms = Math.round(Date.parse(observed.database_now) - (+before + +after) / 2);
  const status = Number.isNaN(skew_ms)
    ? "unknown"
    : Math.abs(skew_ms) > maxSkewMs
    ? "degraded"
    : "healthy";
  return { status, observed_at: observed.observed_at, skew_ms, max_skew_ms: maxSkewMs };
}

/** Only keys under dags/ count. A manifest that has others alone is filled, and not with what it should be. */
function mirrorStanding(mirror: Observed["mirror"], beside: Beside): Standing {
  if (mirror.assets > 0) return "healthy";
  return beside.mirror_configured || mirror.any_assets > 0 ? "unhealthy" : "unknown";
}
