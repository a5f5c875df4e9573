// Measures this project beside others, on one PostgreSQL in one run, and prints what was found, also where it falls
// short of what is aimed at. With --json one object stands on the last line.
import { cpus, totalmem } from "node:os";
import { figureNames, parseArguments, usage } from "./bench/arguments.mjs";
import { measureClaimDepth } from "./bench/figures/claim-depth.mjs";
import { measureEmbedded } from "./bench/figures/embedded.mjs";
import { measureEndToEnd } from "./bench/figures/end-to-end.mjs";
import { measureEnqueueToStart } from "./bench/figures/enqueue-to-start.mjs";
import { measureHeldSnapshot } from "./bench/figures/held-snapshot.mjs";
import { measureIntake } from "./bench/figures/intake.mjs";
import { measureParts } from "./bench/figures/parts.mjs";
import { measureSteps } from "./bench/figures/steps.mjs";
import { measureUnbatched } from "./bench/figures/unbatched.mjs";
import { openProgress } from "./bench/report/progress.mjs";
import { linesOf, summaryOf } from "./bench/report/summary.mjs";
import { installRivals, versionsOfRivals } from "./bench/rivals/install.mjs";
import { openServer, openSession } from "./bench/session.mjs";

const measures = {
  steps: measureSteps,
  unbatched: measureUnbatched,
  intake: measureIntake,
  e2e: measureEndToEnd,
  start: measureEnqueueToStart,
  depth: measureClaimDepth,
  held: measureHeldSnapshot,
  embedded: measureEmbedded,
  parts: measureParts,
};
const withRivals = ["steps", "unbatched", "intake", "e2e"];

const options = parseArguments(process.argv.slice(2));
if (options.problem || options.help) {
  console[options.problem ? "error" : "log"](
    options.problem ? `${options.problem}\n\n${usage}` : usage,
  );
  process.exit(options.problem ? 2 : 0);
}

const began = performance.now();
const progress = openProgress(options.json ? process.stderr : process.stdout, options.only.length);
const session = openSession(options, progress);
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    process.exitCode = signal === "SIGINT" ? 130 : 143;
    interrupted.abort();
    session.end("the run was interrupted");
  });
}
const limitSeconds = options.quick ? 230 : 1500 + options.heldMinutes * 60;
const clock = setTimeout(
  () => session.end("the time of this run was used up"),
  limitSeconds * 1000,
);

/** A figure, or why there is none: nothing is ever made up for one that could not be measured. */
async function measured(name) {
  if (session.ending()) return { skipped: session.ending() };
  progress.figure(name);
  try {
    return await measures[name](session);
  } catch (error) {
    if (session.ending()) return { skipped: session.ending() };
    process.exitCode ||= 1;
    return { failed: String(error.message).slice(0, 1000) };
  } finally {
    await session.rest();
    progress.done();
  }
}

const figures = {};
let found = { server: null, durability: null };
try {
  const native = options.only.filter((name) => name !== "embedded");
  if (native.length > 0) {
    try {
      found = await openServer(session);
      session.databases = found.databases;
      progress.line(
        `PostgreSQL ${found.server.version}, ${found.server.how}; ` +
          Object.entries(found.durability).map(([name, value]) => `${name} ${value}`).join(", "),
      );
    } catch (error) {
      process.exitCode ||= 1;
      for (const name of native) figures[name] = { skipped: error.message };
      progress.line(error.message);
    }
  }
  if (session.databases && native.some((name) => withRivals.includes(name))) {
    session.rivalsProblem = await installRivals((text) => progress.line(text), interrupted.signal);
    if (session.rivalsProblem) progress.line(session.rivalsProblem);
  }
  for (const name of figureNames) {
    if (options.only.includes(name) && !figures[name]) figures[name] = await measured(name);
  }
} finally {
  clearTimeout(clock);
  await session.close();
  progress.close();
}

const { json, only, quick, rounds, depth, heldMinutes } = options;
const summary = summaryOf({
  figures,
  versions: {
    node: process.version,
    postgres: found.server?.version ?? null,
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    ...await versionsOfRivals(),
  },
  server: found.server,
  durability: found.durability,
  options: { only, quick, rounds, depth, held_minutes: heldMinutes },
  seconds: Math.round((performance.now() - began) / 1000),
});
for (const line of linesOf(summary)) progress.line(line);
if (json) console.log(JSON.stringify(summary));
