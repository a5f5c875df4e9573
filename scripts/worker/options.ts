import { Sentence } from "../stack/sentence.ts";

export interface WorkerOptions {
  concurrency: number;
  /** The name that leases and heartbeats bear; another for every process. */
  name: string;
}

export const usage = `npm run worker -- [--concurrency 10] [--name worker-a]
Works off tasks of the database that DATABASE_URL names, beside whatever else works there.
  --concurrency  steps at once in this process, 1 to 100; WORKER_CONCURRENCY says the same
  --name         what leases and heartbeats are signed with; generated unless given`;

/** A wrong option ends the start with a sentence. */
export function workerOptions(
  arguments_: readonly string[],
  concurrency: number,
  random: () => string,
): WorkerOptions {
  const options: WorkerOptions = { concurrency, name: `worker-${random()}` };
  for (let i = 0; i < arguments_.length; i++) {
    const [, option, attached] = /^--(concurrency|name)(?:=(.*))?$/.exec(arguments_[i]) ?? [];
    if (option === undefined) throw new Sentence(`There is no option ${arguments_[i]}.\n${usage}`);
    const value = attached ?? arguments_[++i] ?? "";
    if (option === "name") options.name = nameFrom(value);
    else options.concurrency = concurrencyFrom(value);
  }
  return options;
}

function nameFrom(value: string): string {
  if (/^[a-z][a-z0-9-]{0,63}$/.test(value)) return value;
  throw new Sentence("--name is a lower-case word of letters, digits and dashes.");
}

function concurrencyFrom(value: string): number {
  const count = /^\d{1,3}$/.test(value) ? Number(value) : 0;
  if (count >= 1 && count <= 100) return count;
  throw new Sentence("--concurrency is a number from 1 to 100.");
}
