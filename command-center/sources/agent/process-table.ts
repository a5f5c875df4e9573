import { execFile } from "node:child_process";

export interface RunningProcess {
  /** R, S, T, Z …, as ps writes it. */
  state: string;
  started_at: Date;
}

/** A process by its number, or null where there is none. Throws where processes cannot be looked at. */
export type ProcessTable = (pid: number, signal: AbortSignal) => Promise<RunningProcess | null>;

/**
 * By ps, which shows processes and nothing else: Deno guards /proc as if it were the whole machine, so that reading it
 * would cost the command center every restriction it runs under.
 */
export const processTable: ProcessTable = (pid, signal) =>
  new Promise((resolve, reject) => {
    const asked_for = ["-o", "state=", "-o", "etime=", "-p", String(pid)];
    execFile("ps", asked_for, { signal, timeout: 2000, maxBuffer: 4096 }, (error, stdout) => {
      const found = /^\s*([A-Z])\S*\s+(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)\s*$/.exec(stdout);
      if (found !== null) {
        const [days = 0, hours = 0, minutes, seconds] = found.slice(2).map((part) =>
          part === undefined ? undefined : Number(part)
        );
        const ran_s = ((days * 24 + hours) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
        resolve({ state: found[1], started_at: new Date(Date.now() - ran_s * 1000) });
      } else if (error?.code === 1 && stdout.trim() === "") resolve(null);
      else reject(error ?? new Error("ps answered in another way than expected"));
    });
  });
