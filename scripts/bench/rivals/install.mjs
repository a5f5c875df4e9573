// The rivals live in their own package file, so that `npm ci` of the project stays lean. They are installed here on
// first use, by their own lock, and never again until the lock changes.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";

const here = (name) => new URL(name, import.meta.url);
const mark = here("node_modules/.installed-by-the-bench");

export const rivals = {
  "pg-boss": { module: here("pg-boss.mjs"), package: "pg-boss" },
  "graphile-worker": { module: here("graphile-worker.mjs"), package: "graphile-worker" },
  dbos: { module: here("dbos.mjs"), package: "@dbos-inc/dbos-sdk" },
};

async function installedLock() {
  try {
    return await readFile(mark, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

function npm(words, signal) {
  return new Promise((resolve, reject) => {
    const child = spawn("npm", words, {
      cwd: here("."),
      stdio: ["ignore", "ignore", "pipe"],
      signal,
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (chunk) => said = `${said}${chunk}`);
    child.once("error", reject);
    child.once("exit", (code) => code === 0 ? resolve() : reject(new Error(said)));
  });
}

/** The first line of npm's that says what is wrong. */
export function reasonOf(said) {
  const lines = said.split("\n").filter((line) => /^npm (error|ERR!)/.test(line))
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, "").trim())
    .filter((line) => line && !/^(code|errno|syscall|A complete log)/.test(line));
  return (lines[0] ?? said.trim().split("\n").at(-1) ?? "npm failed").slice(0, 200);
}

/** Null when they are there; otherwise why not, in one line. */
export async function installRivals(say, signal) {
  const lock = createHash("sha256").update(await readFile(here("package-lock.json"))).digest("hex");
  if (await installedLock() === lock) return null;
  say("installing the rivals, once");
  try {
    // Engines are a wish here: what does not run on this Node says so when it is measured.
    await npm(["ci", "--ignore-scripts", "--engine-strict=false"], signal);
  } catch (error) {
    return `the rivals could not be installed: ${reasonOf(String(error.message))}`;
  }
  await writeFile(mark, lock);
  return null;
}

export async function versionsOfRivals() {
  const lock = JSON.parse(await readFile(here("package-lock.json"), "utf8")).packages;
  return Object.fromEntries(
    Object.entries(rivals).map((
      [name, { package: id }],
    ) => [name, lock[`node_modules/${id}`].version]),
  );
}
