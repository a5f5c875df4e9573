// Adds up the reports of the stages, names what failed in them, and prints the line a reader of a CI log looks for.
//   count.mjs <failed stages> <report.json> …
// A report is vitest's JSON, or the JSON of `npm run faults`. One that is not there counts as a failure: a suite that did not
// run has not passed. The names stand at the end, since of a long log often only the end is kept.
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

const [stages, ...reports] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;

const firstLine = (text) => String(text ?? "").split("\n")[0].slice(0, 300);

function nameFailures({ testResults }) {
  for (const { name, message, assertionResults } of testResults) {
    const file = relative(process.cwd(), name);
    const tests = assertionResults.filter(({ status }) => status === "failed");
    for (const { fullName, failureMessages } of tests) {
      console.log(`failed: ${file}: ${fullName.trim()}: ${firstLine(failureMessages[0])}`);
    }
    if (tests.length === 0 && message) console.log(`failed: ${file}: ${firstLine(message)}`);
  }
}

for (const path of reports) {
  const text = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  if (text === "") {
    console.log(`failed: no report in ${path.split("/").at(-1)}`);
    failed += 1;
    continue;
  }
  const report = JSON.parse(text);
  if (report.results) {
    // Its stage is counted already; here its rows get their names.
    for (const { id, fault, observed, verdict } of report.results) {
      if (verdict === "red" || verdict === "not injected") {
        console.log(`${verdict}: row ${id}, ${fault}: ${observed}`);
      }
    }
    continue;
  }
  passed += report.numPassedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  // A file that fails to load has no failed test, yet the report is not a success.
  failed += Math.max(report.numFailedTests, report.success ? 0 : 1);
  nameFailures(report);
}
// A stage that is no test suite (types, the Supabase CLI) has no tests to count: its failure counts once.
failed += Number(stages);
if (skipped > 0) console.log(`${skipped} skipped, each with its reason above`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
