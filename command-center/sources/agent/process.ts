import { readArtifact } from "../artifact.ts";
import { Unanswered } from "../unanswered.ts";
import type { ProcessTable, RunningProcess } from "./process-table.ts";

export interface ProcessFact {
  /** Null where processes cannot be looked at. */
  presence: "present" | "missing" | null;
  pid: number | null;
  /** Why a process that is there does not count, or cannot be seen. */
  reason: string | null;
}

/** A pid file is written after its process has started; a process table and a file keep different clocks. */
const tolerance_ms = 5000;
const max_bytes = 4096;

/** Whether the process that wrote a pid file is still there: the same process, not another that was given its number. */
export async function processOf(
  pid_file: string,
  table: ProcessTable,
  signal: AbortSignal,
): Promise<ProcessFact> {
  const file = await readArtifact(pid_file, max_bytes, signal);
  if (file === null) return { presence: "missing", pid: null, reason: "there is no pid file" };
  const [word] = file.text.trim().split(/\s+/);
  if (!/^[1-9]\d{0,9}$/.test(word)) throw new Unanswered("the pid file holds no process id");
  const pid = Number(word);
  try {
    return judged(await table(pid, signal), pid, Date.parse(file.modified_at));
  } catch (error) {
    if (signal.aborted || !(error instanceof Error)) throw error;
    return { presence: null, pid, reason: "processes cannot be looked at on this machine" };
  }
}

function judged(found: RunningProcess | null, pid: number, written_ms: number): ProcessFact {
  if (found === null) return { presence: "missing", pid, reason: "its process is gone" };
  const { state, started_at } = found;
  if (state === "Z" || state === "X") {
    return { presence: "missing", pid, reason: "its process has ended and is not yet collected" };
  }
  if (started_at.getTime() > written_ms + tolerance_ms) {
    return { presence: "missing", pid, reason: "its process id belongs to another process now" };
  }
  return { presence: "present", pid, reason: state === "T" ? "its process is stopped" : null };
}
