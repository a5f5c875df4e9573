// A worker as a child process of the harness: its journal is read line by line, and it is ended by its own pid alone.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { findDeno, launchPlan } from "../launch.mjs";

/** Children that still run: a harness that is cut short must not leave them behind. */
const children = new Set();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** Deno itself, not its launcher, so that a signal meets the process that works. */
export function startWorkerProcess(env, ...options) {
  const own = { PATH: process.env.PATH, HOME: process.env.HOME, ...env };
  const child = spawn(findDeno(), launchPlan("worker", options, own, "/nowhere"), {
    env: { ...own, DENO_NO_UPDATE_CHECK: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  const lines = [];
  const waiting = [];
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text) => errors += text);
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!line.startsWith("{")) return;
    const entry = JSON.parse(line);
    lines.push(entry);
    for (const one of waiting.filter(({ event }) => event === entry.event)) one.resolve(entry);
  });
  const ended = new Promise((resolve) =>
    child.once("exit", (code, signal) => {
      children.delete(child);
      for (const { resolve: give } of waiting) give(null);
      resolve({ code, signal });
    })
  );
  return {
    pid: child.pid,
    lines,
    ended,
    errors: () => errors,
    /** The first line of this event, or null when the process ends or the time is up before it. */
    async said(event, withinMs) {
      const before = lines.find((line) => line.event === event);
      if (before || child.exitCode !== null || child.signalCode !== null) return before ?? null;
      let timer;
      const entry = await new Promise((resolve) => {
        waiting.push({ event, resolve });
        timer = setTimeout(() => resolve(null), withinMs);
      });
      clearTimeout(timer);
      return entry;
    },
    /** By the pid: under Deno a child that was signalled by its own `kill` counts as ended at once. */
    signal(name) {
      if (children.has(child)) process.kill(child.pid, name);
    },
  };
}
