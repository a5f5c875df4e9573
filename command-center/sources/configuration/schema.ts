import { z } from "zod";
import { isNear } from "./hosts.ts";

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "letters, digits, . _ -");
/** The name of an environment variable; the value itself never stands in the file. */
const variable = z.string().regex(/^[A-Z][A-Z0-9_]{2,63}$/, "the name of an environment variable");
const seconds = (most: number) => z.number().positive().max(most);
const count = (most: number) => z.number().int().positive().max(most);
const path = z.string().min(1).max(1024)
  .refine((text) => !/^~|\$/.test(text), "a path is written out: no ~ and no variable");
const patterns = z.array(z.string().min(1).max(200)).max(100);
const url = z.string().max(500).refine(isPlainUrl, "http or https, without credentials or a query");

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === "";
}

const gitea = z.strictObject({
  base_url: url.refine(
    (text) => text.startsWith("https:") || isNear(new URL(text).hostname),
    "a token is sent over https, or to this machine or the tailnet",
  ),
  token_env: variable,
  machine_account: z.string().min(1).max(255),
  repositories: z.array(z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/, "owner/name")).min(1)
    .max(50),
  every_seconds: seconds(3600).default(30),
  timeout_seconds: seconds(60).default(10),
  page_size: count(50).default(50),
  max_pages: count(100).default(10),
  max_pulls: count(500).default(50),
  concurrency: count(16).default(4),
  required_approvals: z.number().int().nonnegative().max(10).default(1),
  sensitive: z.strictObject({ labels: patterns.default([]), paths: patterns.default([]) })
    .prefault({}),
  labels: z.strictObject({
    blocked: patterns.default(["blocked", "status/blocked"]),
    in_progress: patterns.default(["in progress", "in-progress", "status/in-progress"]),
    in_review: patterns.default(["in review", "in-review", "status/in-review"]),
    done: patterns.default(["done", "status/done"]),
  }).prefault({}),
});

const hermes = z.strictObject({
  /** The folder that holds `cron/`, and `profiles/<name>/cron/` for every profile but the default one. */
  root: path,
  profiles: z.array(name).min(1).max(50).default(["default"]),
  interval_seconds: seconds(3600).default(60),
});

const queue = z.strictObject({
  name,
  queue: z.string().min(1).max(100).optional(),
  sqlite: path.optional(),
  /** The variable that holds the address of a Redis. */
  redis_url_env: variable.optional(),
  heartbeat: z.union([
    z.strictObject({ file: path }),
    z.strictObject({ redis_key: z.string().min(1).max(200) }),
  ]).optional(),
  interval_seconds: seconds(3600).default(60),
}).refine(
  ({ sqlite, redis_url_env }) => (sqlite === undefined) !== (redis_url_env === undefined),
  "a queue is kept in sqlite or in Redis, and one of the two is named",
).refine(
  ({ sqlite, heartbeat }) => sqlite === undefined || heartbeat === undefined || "file" in heartbeat,
  "a queue kept in sqlite has its heartbeat in a file",
);

const endpoint = z.strictObject({
  name,
  kind: z.enum(["openai", "ollama", "http"]),
  url,
  token_env: variable.optional(),
  expected_status: z.number().int().min(200).max(599).default(200),
  undated: z.boolean().default(false),
  every_seconds: seconds(3600).default(30),
  timeout_seconds: seconds(30).default(2),
});

const agent = z.strictObject({
  name,
  kind: name.default("agent"),
  works_as: z.string().min(1).max(255).optional(),
  pid_file: path.optional(),
  heartbeat_file: path.optional(),
  interval_seconds: seconds(3600).default(60),
  dependency: z.string().min(1).max(200).optional(),
}).refine(
  ({ pid_file, heartbeat_file }) => pid_file !== undefined || heartbeat_file !== undefined,
  "an agent is seen by a pid file, a heartbeat file, or both",
);

const distinct = (rows: readonly { name: string }[]): boolean =>
  new Set(rows.map(({ name }) => name)).size === rows.length;

/** The outside sources of the command center. What is not named here is not configured, and unknown. */
export const configuration = z.strictObject({
  gitea: gitea.optional(),
  hermes: hermes.optional(),
  huey: z.array(queue).max(50).refine(distinct, "every queue has a name of its own").default([]),
  endpoints: z.array(endpoint).max(100)
    .refine(distinct, "every endpoint has a name of its own").default([]),
  /** Hosts that endpoints may have beside this machine and the tailnet. */
  trusted_hosts: z.array(z.string().min(1).max(253)).max(50).default([]),
  agents: z.array(agent).max(200).refine(distinct, "every agent has a name of its own").default([]),
}).superRefine(({ endpoints, trusted_hosts }, context) => {
  for (const [index, { url, token_env }] of endpoints.entries()) {
    const { hostname, protocol } = new URL(url);
    const near = isNear(hostname);
    const at = { code: "custom" as const, path: ["endpoints", index, "url"] };
    if (!near && !trusted_hosts.includes(hostname)) {
      context.addIssue({ ...at, message: "neither this machine, nor the tailnet, nor trusted" });
    }
    if (!near && token_env !== undefined && protocol !== "https:") {
      context.addIssue({ ...at, message: "a token is sent over https" });
    }
  }
});

export type Configuration = z.infer<typeof configuration>;
