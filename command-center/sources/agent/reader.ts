import type { AgentFact } from "../../facts/agent.ts";
import { blind, type Reader, type Reading, seen } from "../../truth/reading.ts";
import { readArtifact } from "../artifact.ts";
import { within } from "../polled.ts";
import { reasonOf, Unanswered } from "../unanswered.ts";
import { type Heartbeat, heartbeatOf } from "./heartbeat.ts";
import { type ProcessFact, processOf } from "./process.ts";
import type { ProcessTable } from "./process-table.ts";

export interface AgentScope {
  name: string;
  kind: string;
  works_as: string | null;
  pid_file: string | null;
  heartbeat_file: string | null;
  interval_s: number;
  dependency: string | null;
  processes: ProcessTable;
  timeout_ms: number;
}

const max_heartbeat_bytes = 65_536;
/** Older than three intervals a heartbeat counts for nothing. */
const missed_beats = 3;

/** One agent by what it leaves on this machine: its process and its heartbeat. Neither alone is enough. */
export function agentArtifacts(scope: AgentScope): Reader<readonly AgentFact[]> {
  const { name, interval_s, timeout_ms } = scope;
  const origin = { source: `agent:${name}`, max_age_s: missed_beats * interval_s };
  return {
    source: origin.source,
    async read(now, signal) {
      try {
        return await within(
          timeout_ms,
          (late) => look(scope, origin, now, AbortSignal.any([signal, late])),
        );
      } catch (error) {
        return blind({ ...origin, reason: reasonOf(error) });
      }
    },
  };
}

async function look(
  scope: AgentScope,
  origin: { source: string; max_age_s: number },
  now: Date,
  signal: AbortSignal,
): Promise<Reading<readonly AgentFact[]>> {
  const { pid_file, heartbeat_file, processes } = scope;
  const [process, beat] = await Promise.all([
    pid_file === null ? null : processOf(pid_file, processes, signal),
    heartbeat_file === null ? null : readArtifact(heartbeat_file, max_heartbeat_bytes, signal),
  ]);
  const heartbeat = beat === null ? null : heartbeatOf(beat);
  if (heartbeat === null && (process === null || process.presence === null)) {
    throw new Unanswered(process?.reason ?? "it has left no heartbeat");
  }
  const failure = wrong(process, heartbeat);
  return seen({
    ...origin,
    now,
    // A process was seen now; that it works is another matter, and never live without a heartbeat.
    observed_at: heartbeat?.at ?? now.toISOString(),
    partial: failure ?? (heartbeat === null ? "it has left no heartbeat" : null),
    value: [factOf(scope, process, heartbeat, failure)],
  });
}

function factOf(
  { name, kind, works_as, interval_s, dependency }: AgentScope,
  process: ProcessFact | null,
  heartbeat: Heartbeat | null,
  failure: string | null,
): AgentFact {
  const says = heartbeat?.says ?? null;
  return {
    name,
    kind,
    href: null,
    process: process?.presence ?? null,
    // Something is wrong with it, whatever it says.
    says: failure === null || says === "rate_limited" ? says : "degraded",
    beat_at: heartbeat?.at ?? null,
    interval_s,
    last_success_at: heartbeat?.last_success_at ?? null,
    claim: heartbeat?.claim
      ? { ...heartbeat.claim, href: null, assigned_to: null, closed: null }
      : null,
    dependency: heartbeat?.dependency ?? dependency,
    failure: failure ?? heartbeat?.failure ?? null,
    works_as,
  };
}

function wrong(process: ProcessFact | null, heartbeat: Heartbeat | null): string | null {
  if (process === null) return null;
  if (process.reason !== null) return process.reason;
  const other = heartbeat?.pid ?? null;
  return other !== null && process.pid !== null && other !== process.pid
    ? `its heartbeat is of process ${other}, its pid file says ${process.pid}`
    : null;
}
