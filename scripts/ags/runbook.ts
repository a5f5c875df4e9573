import { Sentence } from "../stack/sentence.ts";
import { actor, ask } from "./holder.ts";
import { desync } from "./runbooks/desync.ts";
import { memoryDrift } from "./runbooks/memory-drift.ts";
import { Interrupted, type RunbookDeps, type RunbookOptions } from "./runbooks/run.ts";
import { toolFailure } from "./runbooks/tool-failure.ts";

const runbooks: Record<string, (deps: RunbookDeps, options: RunbookOptions) => Promise<void>> = {
  desync,
  "tool-failure": toolFailure,
  "memory-drift": memoryDrift,
};

/** Ctrl-C, an orderly end, a terminal that was closed. */
const leaving = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

interface Options {
  dryRun?: boolean;
  yes?: boolean;
  task?: string[];
  tool?: string[];
  watch?: string | number;
}

/** The steps of a runbook, one by one; every change is asked for, and put on record in your name. */
export async function runbook(name: string, options: Options): Promise<void> {
  if (!Object.hasOwn(runbooks, name)) {
    throw new Sentence(`There is no runbook "${name}": ${Object.keys(runbooks).join(", ")}.`);
  }
  const dryRun = options.dryRun === true;
  const yes = options.yes === true;
  if (!dryRun && !yes && !Deno.stdin.isTerminal()) {
    throw new Sentence(
      "Nobody can be asked here: --dry-run shows what would be done, --yes does it.",
    );
  }
  const watchSeconds = Number(options.watch ?? 30);
  if (!Number.isInteger(watchSeconds) || watchSeconds < 0 || watchSeconds > 600) {
    throw new Sentence("--watch is a number of seconds from 0 to 600.");
  }
  const interruption = new AbortController();
  const interrupt = () => {
    if (interruption.signal.aborted) return;
    console.error("Stopping: what was paused is resumed first.");
    interruption.abort();
  };
  for (const signal of leaving) Deno.addSignalListener(signal, interrupt);
  const interrupted = interruption.signal;
  try {
    await runbooks[name]({
      administer: (command, args) => ask("administer", { name: command, args }),
      say: console.log,
      confirm: (question) => yes ? Promise.resolve(true) : askPerson(question, interrupted),
      canary: (tool) => ask("canary", { tool }),
      wait: (seconds) => waitUnless(interrupted, seconds),
      interrupted,
      actor: actor(),
      runId: crypto.randomUUID(),
    }, {
      dryRun,
      task: options.task?.[0] ?? null,
      tool: options.tool?.[0] ?? null,
      watchSeconds,
    });
  } catch (error) {
    if (error instanceof Interrupted) throw new Sentence(error.message);
    throw error;
  } finally {
    for (const signal of leaving) Deno.removeSignalListener(signal, interrupt);
  }
}

/** Anything but a plain yes is a no; so is leaving. */
async function askPerson(question: string, interrupted: AbortSignal): Promise<boolean> {
  await Deno.stdout.write(new TextEncoder().encode(`${question} (y/N) `));
  const left = new Promise<null>((resolve) =>
    interrupted.addEventListener("abort", () => resolve(null), { once: true })
  );
  const buffer = new Uint8Array(256);
  const read = await Promise.race([Deno.stdin.read(buffer), left]);
  return read !== null &&
    /^y(es)?$/i.test(new TextDecoder().decode(buffer.subarray(0, read)).trim());
}

const waitUnless = (interrupted: AbortSignal, seconds: number): Promise<void> =>
  new Promise((resolve) => {
    if (interrupted.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    interrupted.addEventListener("abort", end, { once: true });
  });
