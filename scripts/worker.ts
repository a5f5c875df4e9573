import { readEnvironment } from "../functions/_edge/environment.ts";
import { explain, Sentence } from "./stack/sentence.ts";
import { failpointFrom, killer, type Point } from "./worker/failpoint.ts";
import { type Journal, journalOf } from "./worker/journal.ts";
import { usage, workerOptions } from "./worker/options.ts";
import { startWorker, type Worker } from "./worker/worker.ts";

/** Whatever has not ended by then is left to its leases. */
const endMs = 10_000;
/** The terminal, npm and the launcher each pass on the same ctrl-C; within this time it is one. */
const sameSignalMs = 500;

function stopOnSignals(worker: () => Worker | null, journal: Journal): void {
  let first = 0;
  const onSignal = () => {
    if (first > 0) {
      if (Date.now() - first > sameSignalMs) Deno.exit(130);
      return;
    }
    first = Date.now();
    setTimeout(() => {
      journal("problem", { error: "not everything ended within 10 seconds; its leases lapse" });
      Deno.exit(1);
    }, endMs);
    (worker()?.stop() ?? Promise.resolve()).then(() => Deno.exit(0), (error) => {
      journal("problem", { error: explain(error) });
      Deno.exit(1);
    });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, onSignal);
  }
}

/** Announces the point and holds still, so that a harness can kill this process exactly here; without one it ends by itself. */
const dieAt = (journal: Journal) => (point: Point): never => {
  journal("failpoint", { point, pid: Deno.pid });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
  Deno.exit(137);
};

try {
  if (Deno.args.includes("--help")) {
    console.log(usage);
    Deno.exit(0);
  }
  const get = (name: string) => Deno.env.get(name);
  const reading = readEnvironment(get, ["DATABASE_URL"]);
  if (!reading.ok) throw new Sentence(reading.problems.map((problem) => `${problem}.`).join("\n"));
  const { environment } = reading;
  const { databaseUrl } = environment;
  if (databaseUrl === null) throw new Sentence("DATABASE_URL is not set.");
  const options = workerOptions(
    Deno.args,
    environment.workerConcurrency,
    () => crypto.randomUUID().slice(0, 13),
  );
  const journal = journalOf(options.name, (line) => console.log(line), () => new Date());
  const failpoint = failpointFrom(get);
  let running: Worker | null = null;
  stopOnSignals(() => running, journal);
  running = await startWorker(
    { ...environment, databaseUrl },
    options,
    journal,
    failpoint && killer(failpoint, dieAt(journal)),
  );
} catch (error) {
  console.error(explain(error));
  Deno.exit(1);
}
