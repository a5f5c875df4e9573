import { join } from "node:path";
import { readArtifact } from "../artifact.ts";
import { Unanswered } from "../unanswered.ts";

export interface ProcessFact {
  /** Null where processes cannot be looked at. */
  presence: "present" | "missing" | null;
  pid: number | null;
  /** Why a process that is there does not count, or cannot be seen. */
  reason: string | null;
}

/** Linux counts a process's start in hundredths of a second, whatever its kernel's own clock is. */
const ticks_a_second = 100;
/** A pid file is written after its process has started; clocks of files are coarse. */
const tolerance_s = 2;
const max_bytes = 16_384;

/** Whether the process that wrote a pid file is still there: the same process, not another that was given its number. */
export async function processOf(
  pid_file: string,
  proc_root: string,
  signal: AbortSignal,
): Promise<ProcessFact> {
  const file = await readArtifact(pid_file, max_bytes, signal);
  if (file === null) return { presence: "missing", pid: null, reason: "there is no pid file" };
  const [word] = file.text.trim().split(/\s+/);
  if (!/^[1-9]\d{0,9}$/.test(word)) throw new Unanswered("the pid file holds no process id");
  const pid = Number(word);
  const kernel = await readArtifact(join(proc_root, "stat"), 8_388_608, signal);
  const boot_s = kernel === null ? null : bootTime(kernel.text);
  if (boot_s === null) {
    return { presence: null, pid, reason: "processes cannot be looked at on this machine" };
  }
  const stat = await readArtifact(join(proc_root, String(pid), "stat"), max_bytes, signal);
  if (stat === null) return { presence: "missing", pid, reason: "its process is gone" };
  return judged(stat.text, pid, boot_s, Date.parse(file.modified_at) / 1000);
}

function judged(stat: string, pid: number, boot_s: number, written_s: number): ProcessFact {
  // The name stands in brackets and may hold anything, a bracket too.
  const fields = stat.slice(stat.lastIndexOf(")") + 1).trim().split(/\s+/);
  const [state] = fields;
  const started_s = boot_s + Number(fields[19]) / ticks_a_second;
  if (!Number.isFinite(started_s)) throw new Unanswered("its process cannot be read");
  if (state === "Z" || state === "X") {
    return { presence: "missing", pid, reason: "its process has ended and is not yet collected" };
  }
  if (started_s > written_s + tolerance_s) {
    return { presence: "missing", pid, reason: "its process id belongs to another process now" };
  }
  const stopped = state === "T" || state === "t";
  return { presence: "present", pid, reason: stopped ? "its process is stopped" : null };
}

function bootTime(stat: string): number | null {
  const found = /^btime (\d{9,11})$/m.exec(stat);
  return found === null ? null : Number(found[1]);
}
