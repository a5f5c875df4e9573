import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";

/**
 * What the sources that a file names need of the machine, as Deno's permissions: hosts, files, variables, programs. Plain
 * JavaScript, since whoever starts Deno asks before Deno runs. What it cannot read it leaves out: the file is judged inside.
 *
 * @param {string} path
 * @param {Record<string, string | undefined>} env
 */
export function needsOf(path, env) {
  const folder = dirname(resolve(path));
  const { gitea, hermes, huey = [], endpoints = [], agents = [] } =
    parse(readFileSync(path, "utf8")) ?? {};
  const rows = (value) => Array.isArray(value) ? value : [];
  const files = [
    // The folders of the schedule alone: a Hermes home holds keys, too.
    ...rows(hermes?.root === undefined ? [] : hermes.profiles ?? ["default"]).map((profile) =>
      join(hermes.root, ...profile === "default" ? [] : ["profiles", String(profile)], "cron")
    ),
    ...rows(huey).flatMap(({ sqlite, heartbeat }) => [
      sqlite,
      // What a writer keeps beside its database.
      ...sqlite === undefined ? [] : [`${sqlite}-wal`, `${sqlite}-shm`],
      heartbeat?.file,
    ]),
    ...rows(agents).flatMap(({ pid_file, heartbeat_file }) => [pid_file, heartbeat_file]),
  ];
  const variables = [
    gitea?.token_env,
    ...rows(huey).map(({ redis_url_env }) => redis_url_env),
    ...rows(endpoints).map(({ token_env }) => token_env),
  ].filter((name) => typeof name === "string");
  const addresses = [
    gitea?.base_url,
    ...rows(huey).map(({ redis_url_env }) => env[redis_url_env]),
    ...rows(endpoints).map(({ url }) => url),
  ];
  const isText = (value) => typeof value === "string";
  return {
    net: [...new Set(addresses.filter(isText).flatMap(hostOf))],
    read: [resolve(path), ...files.filter(isText).map((file) => resolve(folder, file))],
    env: [...new Set(variables)],
    run: rows(agents).some(({ pid_file }) => pid_file !== undefined) ? ["ps"] : [],
  };
}

const ports = { "http:": 80, "https:": 443, "redis:": 6379, "rediss:": 6379 };

/** @param {string} address */
function hostOf(address) {
  if (!URL.canParse(address)) return [];
  const { hostname, port, protocol } = new URL(address);
  return hostname === "" ? [] : [`${hostname}:${port || ports[protocol] || 443}`];
}
