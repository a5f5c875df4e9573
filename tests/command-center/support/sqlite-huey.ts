import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { JobFact } from "../../../command-center/facts/job.ts";
import type { HueyScope } from "../../../command-center/sources/huey/reader.ts";
import type { Reading } from "../../../command-center/truth/reading.ts";
import { findDeno, root } from "../../../scripts/launch.mjs";

/** Huey's own tables, as its storage makes them. */
const tables = `
  create table if not exists kv (queue text not null, key text not null, value blob not null, primary key(queue, key));
  create table if not exists schedule (id integer not null primary key, queue text not null, data blob not null, timestamp real not null);
  create index if not exists schedule_queue_timestamp on schedule (queue, timestamp);
  create table if not exists task (id integer not null primary key, queue text not null, data blob not null, priority real not null default 0.0);
  create index if not exists task_priority_id on task (priority desc, id asc);
  create table if not exists counter (queue text not null, key text not null, value integer not null default 0, primary key(queue, key));
`;

/** Reads and writes SQLite files in a Deno of its own: Node 20, which runs these tests, has no SQLite. */
export class SqliteHuey {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    const script = fileURLToPath(new URL("./sqlite-child.ts", import.meta.url));
    this.#child = spawn(findDeno() ?? "deno", ["run", "-A", "--no-remote", script], {
      cwd: root,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error("the child has no output");
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  make(path: string, rows: string, journal: "wal" | "delete" = "wal"): Promise<unknown> {
    return this.#ask({ make: { path, journal, sql: tables + rows } });
  }

  lock(path: string): Promise<unknown> {
    return this.#ask({ lock: path });
  }

  hold(path: string): Promise<unknown> {
    return this.#ask({ hold: path });
  }

  read(scope: HueyScope): Promise<Reading<JobFact[]>> {
    return this.#ask({ read: scope });
  }

  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.stdin?.end();
    await gone;
  }

  async #ask(task: object): Promise<never> {
    this.#child.stdin?.write(`${JSON.stringify(task)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the child has ended");
    return JSON.parse(value) as never;
  }
}
