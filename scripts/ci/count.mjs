// Adds up vitest's JSON reports and prints the line a reader of a CI log looks for.
//   count.mjs <failed stages> <report.json> …
// A report that is not there counts as a failure: a suite that did not run has not passed.
import { existsSync, readFileSync } from "node:fs";

const [stages, ...reports] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
for (const path of reports) {
  if (!existsSync(path)) {
    failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(path, "utf8"));
  passed += report.numPassedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  // A file that fails to load has no failed test, yet the report is not a success.
  failed += Math.max(report.numFailedTests, report.success ? 0 : 1);
}
// A stage that is no test suite (types, the Supabase CLI) has no tests to count: its failure counts once.
failed += Number(stages);
if (skipped > 0) console.log(`${skipped} skipped, each with its reason above`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
