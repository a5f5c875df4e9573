import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A Hermes root on disk, written as its own code writes it: seconds since 1970 with a fraction. */
export class HermesFiles {
  private constructor(readonly root: string) {}

  static async make(): Promise<HermesFiles> {
    const root = await mkdtemp(join(tmpdir(), "hermes-"));
    await mkdir(join(root, "cron"), { recursive: true });
    return new HermesFiles(root);
  }

  async jobs(jobs: unknown[], profile = "default"): Promise<void> {
    const text = JSON.stringify({ jobs, updated_at: "2026-11-21T10:30:04.120391+00:00" }, null, 2);
    await this.write("jobs.json", text, profile);
  }

  async beat(at: Date, succeeded = at): Promise<void> {
    await this.write("ticker_heartbeat", `${at.getTime() / 1000} ${process.pid}`);
    await this.write("ticker_last_success", String(succeeded.getTime() / 1000));
  }

  async write(name: string, text: string, profile = "default"): Promise<void> {
    const home = profile === "default" ? this.root : join(this.root, "profiles", profile);
    await mkdir(join(home, "cron"), { recursive: true });
    await writeFile(join(home, "cron", name), text);
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}

const iso = (seconds: number): string =>
  new Date(Date.now() + seconds * 1000).toISOString().replace("Z", "000+00:00");

/** A job as Hermes writes it; times are seconds from now. */
export const hermesJob = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  name: `job ${id}`,
  prompt: "Look after it",
  skills: [],
  skill: null,
  model: null,
  provider: null,
  script: null,
  schedule: { kind: "interval", minutes: 30, display: "every 30m" },
  schedule_display: "every 30m",
  repeat: { times: null, completed: 12 },
  enabled: true,
  state: "scheduled",
  paused_at: null,
  paused_reason: null,
  created_at: iso(-900_000),
  next_run_at: iso(900),
  last_run_at: iso(-900),
  last_status: "ok",
  last_error: null,
  last_delivery_error: null,
  deliver: "local",
  origin: null,
  ...more,
});

export const hermesTime = iso;
