import { explain, Sentence } from "./stack/sentence.ts";
import { type Stack, startStack } from "./stack/stack.ts";
import { welcome } from "./stack/welcome.ts";

/** How long what is under way may take after ctrl-C. */
const drainMs = 10_000;
/** The terminal, npm and the launcher each pass on the same ctrl-C; within this time it is one. */
const sameSignalMs = 500;

function stopOnSignals(stack: () => Stack | null): void {
  let first = 0;
  const onSignal = () => {
    const now = Date.now();
    if (first === 0) {
      first = now;
      console.log("\nStopping: ending what is under way. Ctrl-C again ends at once.");
      const late = setTimeout(() => {
        console.error("Not everything ended within 10 seconds; it goes on at the next start.");
        Deno.exit(1);
      }, drainMs);
      (stack()?.stop() ?? Promise.resolve()).then(
        () => {
          clearTimeout(late);
          console.log("Stopped.");
          Deno.exit(0);
        },
        (error) => {
          console.error(explain(error));
          Deno.exit(1);
        },
      );
    } else if (now - first > sameSignalMs) {
      Deno.exit(130);
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, onSignal);
  }
}

let running: Stack | null = null;
stopOnSignals(() => running);
try {
  running = await startStack({
    environment: (name) => Deno.env.get(name),
    dataDir: Deno.env.get("DATA_DIR") ?? ".local",
    log: console.log,
    print: console.log,
  });
  console.log(await welcome(running));
} catch (error) {
  if (!(error instanceof Sentence)) console.error("The platform did not start.");
  console.error(explain(error));
  Deno.exit(1);
}
