// Takes every guard away, one at a time in a scratch database of its own, and runs the test that names it: it must be red.
//   node scripts/prove-guards.mjs [--only words] [--workers 2] [--json]
// Exit code 1 unless every guard is missed. A probe that fails for another reason than its guard is BROKEN, not killed.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    workers: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
  },
});
const workers = Number(options.workers);
if (!Number.isInteger(workers) || workers < 1 || workers > 16) {
  console.error("--workers is a number from 1 to 16.");
  process.exit(2);
}

const started = performance.now();
const proofs = [];
const errors = [];
const reporter = {
  onTestCaseResult(test) {
    const proof = test.meta();
    if (!proof.verdict) {
      errors.push(`${test.name}: ${test.result().errors?.[0]?.message ?? "it did not end"}`);
      return;
    }
    proofs.push(proof);
    const { verdict, why, subject, name, ms } = proof;
    if (options.json) return;
    console.log(
      `${verdict.padEnd(8)} ${String(ms).padStart(6)} ms  ${subject}: ${name}\n${
        " ".repeat(20)
      }${proof.test}`,
    );
    if (verdict === "BROKEN") console.log(`${" ".repeat(20)}${why}`);
  },
  onTestRunEnd(modules, unhandled) {
    for (const module of modules) {
      for (const { message } of module.errors()) errors.push(message);
    }
    for (const { message } of unhandled) errors.push(message);
  },
};

// More shares than workers, so that the last one is not alone for long.
const shares = options.only ? workers : workers * 3;
await startVitest("test", [], {
  root: fileURLToPath(new URL("../", import.meta.url)),
  config: "tests/guards/vitest.config.ts",
  watch: false,
  reporters: [reporter],
  maxWorkers: workers,
  projects: Array.from({ length: shares }, (_, i) => ({
    extends: true,
    test: {
      name: `share ${i + 1}`,
      env: { GUARDS_SHARE: `${i}/${shares}`, GUARDS_ONLY: options.only },
    },
  })),
});

const count = (verdict) => proofs.filter((proof) => proof.verdict === verdict).length;
const killed = count("killed");
const rate = proofs.length === 0 ? 0 : killed / proofs.length * 100;
const seconds = ((performance.now() - started) / 1000).toFixed(1);
const green = proofs.length > 0 && killed === proofs.length && errors.length === 0;
if (options.json) {
  console.log(
    JSON.stringify({ killed, of: proofs.length, rate, seconds: Number(seconds), errors, proofs }),
  );
} else {
  for (const error of errors) console.log(`error: ${error}`);
  console.log(
    `${
      green ? "green" : "RED"
    }: ${killed} of ${proofs.length} guards are missed when they are gone (${
      rate.toFixed(1)
    } %), ` +
      `${count("SURVIVED")} survived, ${count("BROKEN")} broken, in ${seconds} s`,
  );
}
process.exit(green ? 0 : 1);
