#!/usr/bin/env node
/** What must hold before a change is shown to anyone: types, lint, format, generated files. Every part runs, so one look tells all. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findDeno, root } from "./launch.mjs";

const deno = findDeno();
if (deno === null) {
  console.error("The packages are not installed yet. Run this first: npm ci");
  process.exit(1);
}

const present = (...paths) => paths.filter((path) => existsSync(join(root, path)));
const parts = [
  {
    name: "types",
    run: [deno, "check", "--quiet", ...present("command-center", "functions", "scripts", "tests")],
    mend: "",
  },
  {
    name: "lint",
    run: [deno, "lint", "--quiet", ...present("command-center", "functions", "scripts", "tests")],
    mend: "",
  },
  {
    name: "format",
    run: [
      deno,
      "fmt",
      "--check",
      "--quiet",
      ...present("command-center", "functions", "scripts", "tests"),
    ],
    mend: "npx deno fmt command-center functions scripts tests",
  },
  {
    name: "generated files",
    run: [process.execPath, join(root, "scripts/launch.mjs"), "generate", "--check"],
    mend: "npm run generate",
  },
];

const failed = [];
for (const { name, run: [program, ...args], mend } of parts) {
  const started = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    env: {
      ...process.env,
      DENO_NO_UPDATE_CHECK: "1",
      ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }),
    },
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? "holds " : "FAILED"}  ${name.padEnd(16)} ${seconds.padStart(5)} s`);
  if (status === 0) continue;
  failed.push(name);
  console.log(`${stdout ?? ""}${stderr ?? ""}${error ? `${error.message}\n` : ""}`);
  if (mend) console.log(`To mend it: ${mend}\n`);
}
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(", ")}`);
  process.exit(1);
}
