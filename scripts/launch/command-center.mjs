/**
 * What the command center may touch: the address it listens on, its database, and the sources that its configuration names.
 * A configuration that cannot be read gives nothing here; the start then says what is wrong with it.
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";

export const variables = [
  "COMMAND_CENTER_PORT",
  "COMMAND_CENTER_NAME",
  "COMMAND_CENTER_DATABASE_URL",
  "COMMAND_CENTER_CONFIG",
];

export const portOf = (env) => {
  const port = env.COMMAND_CENTER_PORT?.trim() || "";
  return /^\d{1,5}$/.test(port) && Number(port) <= 65535 ? Number(port) : 54380;
};

const bracketed = (address) => address.includes(":") ? `[${address}]` : address;

/** Where it might listen: loopback, the address that was asked for, and with --tailscale those of a tailnet. */
export function listensAt(env, arguments_, interfaces = networkInterfaces()) {
  const asked = arguments_.flatMap((argument, i) =>
    argument === "--address" ? [arguments_[i + 1]] : argument.match(/^--address=(.+)$/)?.[1] ?? []
  );
  const tailnet = arguments_.includes("--tailscale")
    ? Object.values(interfaces).flat().map(({ address }) => address)
      .filter((address) => /^(100\.|fd7a:115c:a1e0:)/i.test(address))
    : [];
  return ["127.0.0.1", ...asked, ...tailnet]
    .filter((address) => /^[0-9a-f.:]+$/i.test(address ?? ""))
    .map((address) => `${bracketed(address)}:${portOf(env)}`);
}

const hostOf = (address) => {
  if (!URL.canParse(address)) return [];
  const { hostname, port, protocol } = new URL(address);
  const usual = { "http:": 80, "https:": 443, "redis:": 6379, "rediss:": 6379 }[protocol];
  return hostname && (port || usual) ? [`${hostname}:${port || usual}`] : [];
};

function documentOf(file) {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    // The start reads it again and says in a sentence what is wrong.
    return { unreadable: error.code ?? error.name };
  }
}

const list = (value) => Array.isArray(value) ? value : [];

/** The sources that the configuration names: their hosts, their files, and the variables that hold their credentials. */
export function sourcesOf(env) {
  const named = env.COMMAND_CENTER_CONFIG?.trim();
  if (!named) return { net: [], read: [], env: [], run: [] };
  const file = resolve(named);
  const folder = dirname(file);
  const { gitea, hermes, huey, endpoints, agents } = documentOf(file) ?? {};
  const at = (path) => typeof path === "string" ? [join(resolve(folder, path))] : [];
  const queues = list(huey);
  const secrets = [gitea, ...list(endpoints)].map((one) => one?.token_env)
    .concat(queues.map((queue) => queue?.redis_url_env))
    .filter((name) => /^[A-Z][A-Z0-9_]+$/.test(name ?? ""));
  const files = [
    file,
    // The folders of the schedules alone: a Hermes home holds keys, too.
    ...list(hermes?.profiles ?? ["default"]).flatMap((profile) =>
      at(hermes?.root).map((home) =>
        join(home, ...profile === "default" ? [] : ["profiles", String(profile)], "cron")
      )
    ),
    ...queues.flatMap((queue) => [
      // SQLite keeps its journal beside the file.
      ...at(queue?.sqlite).flatMap((path) => [path, `${path}-wal`, `${path}-shm`]),
      ...at(queue?.heartbeat?.file),
    ]),
    ...list(agents).flatMap((agent) => [...at(agent?.pid_file), ...at(agent?.heartbeat_file)]),
  ].filter((path) => !path.includes(","));
  return {
    net: [
      ...hostOf(gitea?.base_url ?? ""),
      ...list(endpoints).flatMap((one) => hostOf(one?.url ?? "")),
      ...queues.flatMap((queue) => hostOf(env[queue?.redis_url_env] ?? "")),
    ],
    read: files,
    env: secrets,
    // A process is looked at through ps, which shows processes and nothing else.
    run: list(agents).some((agent) => agent?.pid_file) ? ["ps"] : [],
  };
}
