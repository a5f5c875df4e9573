// A contestant is a module in a process of its own: { figure: (options) → result }. So nobody's garbage collection,
// timers or signal handlers touch another's round, and every client has the same share of the machine.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const child = fileURLToPath(new URL("child.mjs", import.meta.url));

export function startContestant(module) {
  const running = fork(child, [fileURLToPath(module)], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // Ctrl-C is the bench's to handle.
    detached: true,
  });
  let said = "";
  running.stderr.setEncoding("utf8").on("data", (chunk) => said = `${said}${chunk}`.slice(0, 4000));
  // Node prints where it was before what it was.
  const reason = () => /^\w*Error\b.*$/m.exec(said)?.[0] ?? said.split("\n")[0];
  let waiting = null;
  running.on("message", ({ result, error }) => {
    const { resolve, reject } = waiting;
    waiting = null;
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  });
  const ended = new Promise((resolve) =>
    running.once("exit", (code, signal) => {
      waiting?.reject(new Error(`the contestant ended with ${code ?? signal}: ${reason()}`));
      waiting = null;
      resolve();
    })
  );
  return {
    run(figure, options, limitMs = 300_000) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no answer within ${limitMs / 1000} s`)),
          limitMs,
        );
        const done = (how) => (value) => {
          clearTimeout(timer);
          how(value);
        };
        waiting = { resolve: done(resolve), reject: done(reject) };
        running.send({ figure, options }, (error) => {
          if (error) {
            waiting?.reject(new Error(`the contestant is gone: ${reason() || error.message}`));
          }
        });
      });
    },
    async stop() {
      if (running.exitCode === null && running.signalCode === null) running.kill("SIGKILL");
      await ended;
    },
  };
}
