#!/usr/bin/env node
/**
 * The fault matrix: injects each fault for real, shows that it was injected, and says whether the promise held.
 *   npm run faults -- [--only 33,37] [--n 2] [--seed N] [--list] [--json] [--out FILE] [--planted]
 * Exits 1 where a promise broke, an invariant was broken or an injection was not seen.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { findDeno, root } from "./launch.mjs";

const deno = findDeno();
if (deno === null) {
  console.error("The packages are not installed yet. Run this first: npm ci");
  process.exit(1);
}
const child = spawn(deno, [
  "run",
  "--quiet",
  "--allow-all",
  "--no-prompt",
  "--no-remote",
  `--config=${join(root, "deno.json")}`,
  join(root, "scripts/faults/command.ts"),
  ...process.argv.slice(2),
], { stdio: "inherit", env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" } });
// Ctrl-C reaches the child by the terminal; what comes to this process alone is handed on. The child cleans up first.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => process.stdin.isTTY || child.kill(signal));
}
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
