import process from "node:process";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { hueyJobs } from "../../../command-center/sources/huey/facts.ts";
import { hueyQueue, type HueyScope } from "../../../command-center/sources/huey/reader.ts";
import { partOf } from "../../../command-center/sources/part.ts";

// SQLite as the command center has it: Deno's. One line of JSON in, one line out, until the input ends.

interface Task {
  make?: { path: string; journal: string; sql: string };
  lock?: string;
  /** Kept open, as a consumer keeps it, with something in the log. */
  hold?: string;
  read?: HueyScope;
}

const locks: DatabaseSync[] = [];

async function done({ make, lock, hold, read }: Task): Promise<unknown> {
  if (make) {
    const database = new DatabaseSync(make.path);
    database.exec(`pragma journal_mode = ${make.journal}; ${make.sql}`);
    database.close();
  }
  if (lock) {
    const database = new DatabaseSync(lock);
    database.exec("begin exclusive");
    locks.push(database);
  }
  if (hold) {
    const database = new DatabaseSync(hold);
    database.exec("insert into task (queue, data) values ('jobs', x'80')");
    locks.push(database);
  }
  return read === undefined
    ? null
    : await partOf(hueyQueue(read), hueyJobs).read(new Date(), AbortSignal.timeout(5000));
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await done(JSON.parse(line))));
}
for (const database of locks) database.close();
