#!/usr/bin/env node
/**
 * Starts a script under Deno with no more permissions than it needs: `node scripts/launch.mjs <command> [arguments]`.
 * Node and npm are all a newcomer has, so this file is plain JavaScript and Deno comes from node_modules.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as commandCenter from "./launch/command-center.mjs";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** What `_edge/environment.ts` reads, and who starts it: the audit rows of the CLI name that person. */
const variables = [
  ..."PORT DATABASE_URL DATA_DIR INTAKE_TOKENS SERVICE_TOKEN LLM_BASE_URL LLM_MODEL LLM_FAST_MODEL LLM_API_KEY"
    .split(" "),
  ..."BOT_TOKEN API_ROOT WEBHOOK_SECRET CHAT_ID MODE".split(" ").map((name) => `TELEGRAM_${name}`),
  ..."APPROVAL_SIGNING_KEY SECOND_FACTOR_KEY QUOTE_URL BROKER_BRIDGE_URL BROKER_BRIDGE_SECRET"
    .split(" "),
  ..."TON_API_URL TON_API_KEY TON_WEBHOOK_TOKEN TON_WALLET VIP_CHAT_ID".split(" "),
  ..."REDIS_URL ONE_DRIVE_SHARE_ID USER LOGNAME NO_COLOR".split(" "),
];

const loopback = "127.0.0.1";
const inRoot = (...paths) => paths.map((path) => join(root, path));
const sources = inRoot("migrations", "policies", "docs", "scripts", "node_modules/@electric-sql");
/** What the measurements of the command line read. */
const measured = inRoot("tests/corpus", "tests/gold");

/** `host:port` of an address, or nothing where it cannot be read: the boot then says what is wrong with it. */
function hostOf(address, defaultPort) {
  if (!address || !URL.canParse(address)) return [];
  const { hostname, port, protocol } = new URL(address);
  if (!hostname) return [];
  return [`${hostname}:${port || (defaultPort ?? (protocol === "http:" ? 80 : 443))}`];
}

/** The hosts that the platform calls. Without a bot token it never speaks to Telegram, so it may not. */
const calledBy = (env) => [
  ...hostOf(env.DATABASE_URL, 5432),
  ...hostOf(env.REDIS_URL, 6379),
  ...(env.TELEGRAM_BOT_TOKEN ? hostOf(env.TELEGRAM_API_ROOT || "https://api.telegram.org") : []),
  ...hostOf(env.LLM_BASE_URL),
  ...hostOf(env.QUOTE_URL || "https://api.binance.com"),
  ...hostOf(env.BROKER_BRIDGE_URL),
  ...(env.TON_WALLET ? hostOf(env.TON_API_URL || "https://tonapi.io") : []),
];

/** A port that is none would end Deno before the boot can say what is wrong with it. */
const portOf = (env) => {
  const port = env.PORT?.trim() || "";
  return /^\d{1,5}$/.test(port) && Number(port) <= 65535 ? Number(port) : 54321;
};

/** A backup or a policy lies where its writer says: the file that is named may be opened, and what is beside it not. */
function fileNamed(arguments_) {
  const [name, ...rest] = arguments_.map((argument) => argument.replace(/^--head=/, ""))
    .filter((argument) => !argument.startsWith("-"));
  const files = name === "policy" ? rest.slice(1) : rest.slice(0, 1);
  const reads = files.length > 0 && ["backup", "restore", "policy"].includes(name);
  return {
    name,
    read: reads ? files.map((file) => resolve(file)) : [],
    write: reads && name === "backup" ? [resolve(files[0])] : [],
  };
}

/** What each command may touch. */
const commands = {
  start: (env, dataDir) => {
    const seen = commandCenter.sourcesOf(env);
    // The pages belong to the embedded database: on a Postgres of your own they are a process of their own.
    const pages = env.DATABASE_URL ? [] : [`${loopback}:${commandCenter.portOf(env)}`];
    return {
      net: [
        `${loopback}:${portOf(env)}`,
        `unix:${join(dataDir, "ags.sock")}`,
        ...calledBy(env),
        ...pages,
        ...seen.net,
      ],
      read: [...sources, ...inRoot("command-center"), dataDir, ...seen.read],
      write: [dataDir],
      env: [...variables, ...commandCenter.variables, ...seen.env],
      run: seen.run,
    };
  },
  "command-center": (env, _dataDir, arguments_) => {
    const seen = commandCenter.sourcesOf(env);
    return {
      net: [
        ...commandCenter.listensAt(env, arguments_),
        ...hostOf(env.COMMAND_CENTER_DATABASE_URL || env.DATABASE_URL, 5432),
        ...seen.net,
      ],
      read: [...inRoot("command-center"), ...seen.read],
      write: [],
      env: ["DATABASE_URL", "NO_COLOR", ...commandCenter.variables, ...seen.env],
      run: seen.run,
      sys: ["networkInterfaces"],
    };
  },
  ags: (env, dataDir, arguments_) => {
    const file = fileNamed(arguments_);
    return {
      net: [`unix:${join(dataDir, "ags.sock")}`, ...calledBy(env)],
      read: [...sources, ...measured, dataDir, ...file.read],
      write: [dataDir, ...file.write],
      env: variables,
      run: env.DATABASE_URL && ["backup", "restore"].includes(file.name)
        ? ["pg_dump", "pg_restore"]
        : [],
    };
  },
  // A worker opens no door and no file: it asks one database, and calls who is to be called.
  worker: (env) => ({
    net: calledBy(env),
    read: [],
    write: [],
    env: [...variables, "WORKER_CONCURRENCY", "FAILPOINT", "FAILPOINTS"],
  }),
  demo: (_env, dataDir) => ({
    net: [loopback, `unix:${join(dataDir, "ags.sock")}`],
    read: [...sources, dataDir],
    write: [dataDir],
    env: ["DATA_DIR", "NO_COLOR"],
  }),
  generate: () => ({
    net: [],
    read: inRoot("policies", "functions/_policy"),
    write: inRoot("functions/_policy/policy.generated.ts"),
    env: [],
  }),
};

/** The Deno that npm installed: the package's own copy, or the one for this platform that it was made from. */
export function findDeno(modules = join(root, "node_modules")) {
  const file = process.platform === "win32" ? "deno.exe" : "deno";
  const libc = process.platform === "linux" ? "-glibc" : "";
  const places = [
    join(modules, "deno", file),
    join(modules, "@deno", `${process.platform}-${process.arch}${libc}`, file),
  ];
  return places.find((place) => existsSync(place)) ?? null;
}

/** What runs for a command, or null where there is no such command. Nothing is started here. */
export function launchPlan(command, arguments_, env, dataDir) {
  if (!Object.hasOwn(commands, command)) return null;
  const { net, read, write, env: names, run = [], sys = [] } = commands[command](
    env,
    dataDir,
    arguments_,
  );
  const flag = (name, values) =>
    values.length > 0 ? [`--allow-${name}=${[...new Set(values)].join(",")}`] : [];
  return [
    "run",
    "--no-prompt",
    "--no-remote",
    `--config=${join(root, "deno.json")}`,
    ...flag("net", net),
    ...flag("read", read),
    ...flag("write", write),
    ...flag("env", names),
    // Libraries look for variables of their own; they find them unset instead of failing.
    "--ignore-env",
    ...flag("run", run),
    ...flag("sys", sys),
    join(root, "scripts", `${command}.ts`),
    ...arguments_,
  ];
}

function refuse(sentence) {
  console.error(sentence);
  process.exit(1);
}

function main([command, ...arguments_]) {
  const deno = findDeno();
  if (deno === null) refuse("The packages are not installed yet. Run this first: npm ci");
  // The demo works in a directory of its own, which goes away with it.
  const scratch = command === "demo"
    ? mkdtempSync(join(realpathSync(tmpdir()), "dynamic-ags-"))
    : null;
  const dataDir = scratch ?? resolve(process.env.DATA_DIR?.trim() || join(root, ".local"));
  // The list in a permission flag is separated by commas.
  if (dataDir.includes(",")) refuse("DATA_DIR must not contain a comma: choose another directory.");
  const plan = launchPlan(command, arguments_, process.env, dataDir);
  if (plan === null) {
    refuse(`There is no command "${command ?? ""}". Known: ${Object.keys(commands).join(", ")}.`);
  }
  const child = spawn(deno, plan, {
    stdio: "inherit",
    env: { ...process.env, DATA_DIR: dataDir, DENO_NO_UPDATE_CHECK: "1" },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => refuse(`Deno could not be started: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2));
}
