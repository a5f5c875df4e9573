import { join } from "node:path";
import type { Sources } from "../facts/sources.ts";
import { blind, type Reader } from "../truth/reading.ts";
import { type ProcessTable, processTable } from "./agent/process-table.ts";
import { agentArtifacts } from "./agent/reader.ts";
import type { Configuration } from "./configuration/schema.ts";
import { endpoint } from "./endpoint/reader.ts";
import { GiteaClient } from "./gitea/client.ts";
import { issueCards, pullFacts, type Signs } from "./gitea/facts.ts";
import { giteaRepository } from "./gitea/reader.ts";
import type { Repository } from "./gitea/repository.ts";
import { hermesJobs } from "./hermes/facts.ts";
import { hermesProfile } from "./hermes/reader.ts";
import { hueyJobs } from "./huey/facts.ts";
import { hueyQueue } from "./huey/reader.ts";
import type { Fetch } from "./http-call.ts";
import { partOf } from "./part.ts";

export interface Outside {
  fetch: Fetch;
  /** The value of an environment variable; undefined where it is not set. */
  variable: (name: string) => string | undefined;
  processes?: ProcessTable;
}

export type OutsideSources = Pick<Sources, "agents" | "pulls" | "jobs" | "cards">;

/** Files, a process table, a Redis: below what a page waits, and enough for a machine that is busy. */
const file_timeout_ms = 2500;
const max_answer_bytes = 4_194_304;
/** How long the last word of Gitea is shown with its age while it says nothing new. */
const keep_s = 3600;
/** A page waits this long for a forge. */
const wait_ms = 1500;

/** A reader for every source that is named, and a blind one for each kind that is not. */
export function outsideSources(configured: Configuration, outside: Outside): OutsideSources {
  const { hermes, huey, endpoints, agents } = configured;
  const forge = forgeSources(configured, outside);
  return {
    ...forge,
    agents: [
      ...orUnconfigured(
        "agents",
        agents.map((agent) =>
          agentArtifacts({
            name: agent.name,
            kind: agent.kind,
            works_as: agent.works_as ?? null,
            pid_file: agent.pid_file ?? null,
            heartbeat_file: agent.heartbeat_file ?? null,
            interval_s: agent.interval_seconds,
            dependency: agent.dependency ?? null,
            processes: outside.processes ?? processTable,
            timeout_ms: file_timeout_ms,
          })
        ),
      ),
      ...orUnconfigured(
        "endpoints",
        endpoints.map((one) => endpointSource(one, outside)),
      ),
    ],
    jobs: [
      ...orUnconfigured(
        "hermes",
        (hermes?.profiles ?? []).map((profile) => {
          const home = profile === "default" ? [] : ["profiles", profile];
          const reader = hermesProfile({
            profile,
            cron_dir: join(hermes?.root ?? "", ...home, "cron"),
            interval_s: hermes?.interval_seconds ?? 60,
            timeout_ms: file_timeout_ms,
          });
          return partOf(reader, hermesJobs);
        }),
      ),
      ...orUnconfigured("huey", huey.map((queue) => queueSource(queue, outside))),
    ],
  };
}

function forgeSources(
  { gitea }: Configuration,
  { fetch, variable }: Outside,
): Pick<OutsideSources, "pulls" | "cards"> {
  const none = (reason: string, names: readonly string[]) => {
    const readers = names.map((name) => blindReader(name, reason));
    return { pulls: readers, cards: readers };
  };
  if (gitea === undefined) return none("it is not configured", ["gitea"]);
  const sources = gitea.repositories.map((name) => `gitea:${name}`);
  const token = variable(gitea.token_env);
  if (!token) return none(`its machine credential ${gitea.token_env} is not set`, sources);
  const base_url = gitea.base_url.replace(/\/+$/, "");
  const timeout_ms = gitea.timeout_seconds * 1000;
  const { machine_account, page_size, max_pages, concurrency, max_pulls } = gitea;
  const client = new GiteaClient({
    base_url,
    token,
    machine_account,
    page_size,
    max_pages,
    concurrency,
    call_timeout_ms: timeout_ms,
    max_bytes: max_answer_bytes,
  }, fetch);
  const signs: Signs = {
    sensitive_labels: gitea.sensitive.labels,
    sensitive_paths: gitea.sensitive.paths,
    blocked_labels: gitea.labels.blocked,
    in_progress_labels: gitea.labels.in_progress,
    in_review_labels: gitea.labels.in_review,
    done_labels: gitea.labels.done,
    required_approvals: gitea.required_approvals,
  };
  const repositories: Reader<Repository>[] = gitea.repositories.map((name, index) =>
    giteaRepository(client, {
      name,
      href: `${base_url}/${name}`,
      page_size,
      max_pulls,
      with_files: signs.sensitive_paths.length > 0,
    }, {
      source: sources[index],
      every_s: gitea.every_seconds,
      max_age_s: 2 * gitea.every_seconds,
      // A round is many calls: issues, pull requests, and three for each of them.
      timeout_ms: 3 * timeout_ms,
      wait_ms,
      keep_s,
    })
  );
  return {
    pulls: repositories.map((reader) => partOf(reader, pullFacts(signs))),
    cards: repositories.map((reader) => partOf(reader, issueCards(signs))),
  };
}

function endpointSource(
  { name, kind, url, token_env, expected_status, undated, every_seconds, timeout_seconds }:
    Configuration["endpoints"][number],
  { fetch, variable }: Outside,
): OutsideSources["agents"][number] {
  const token = token_env === undefined ? null : variable(token_env) || undefined;
  if (token === undefined) {
    return blindReader(`endpoint:${name}`, `its machine credential ${token_env} is not set`);
  }
  const timeout_ms = timeout_seconds * 1000;
  const every_s = every_seconds;
  const scope = { name, kind, url, token, expected_status, undated, every_s, timeout_ms };
  return endpoint(scope, fetch);
}

function queueSource(
  { name, queue, sqlite, redis_url_env, heartbeat, interval_seconds }:
    Configuration["huey"][number],
  { variable }: Outside,
): OutsideSources["jobs"][number] {
  const url = redis_url_env === undefined ? undefined : variable(redis_url_env);
  const storage = sqlite !== undefined
    ? { kind: "sqlite" as const, path: sqlite }
    : url
    ? { kind: "redis" as const, url }
    : null;
  if (storage === null) {
    return blindReader(`huey:${name}`, `its machine credential ${redis_url_env} is not set`);
  }
  const reader = hueyQueue({
    name,
    queue: queue ?? name,
    storage,
    heartbeat: heartbeat ?? null,
    heartbeat_every_s: interval_seconds,
    timeout_ms: file_timeout_ms,
  });
  return partOf(reader, hueyJobs);
}

const blindReader = (source: string, reason: string): Reader<never> => ({
  source,
  read: () => Promise.resolve(blind({ source, max_age_s: 0, reason })),
});

const orUnconfigured = <T>(source: string, readers: readonly Reader<T>[]): readonly Reader<T>[] =>
  readers.length > 0 ? readers : [blindReader(source, "it is not configured")];
