import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { OutsideSources } from "../../../command-center/sources/outside.ts";
import type { Reader } from "../../../command-center/truth/reading.ts";
import { configured, gitea, machine } from "../support/configured.ts";
import { clockUnder, type Condition } from "../support/faults.ts";
import { GiteaFake } from "../support/gitea-fake.ts";
import { issueRow, pullRow, reviewRow, shaOf, statusRow } from "../support/gitea-rows.ts";
import { HermesFiles, hermesJob } from "../support/hermes-files.ts";
import { HttpFake } from "../support/http-fake.ts";
import { redisInstalled, RedisServer } from "../../support/redis-server.ts";
import { SqliteHuey } from "../support/sqlite-huey.ts";

/** One source under a condition: the readers that a configuration makes of it, and no others. */
export interface Stage {
  source: string;
  outside: OutsideSources;
}

export interface Scene {
  name: string;
  /** Why it cannot be played here; null where it can. */
  missing: string | null;
  play(condition: Condition, watch: (stage: Stage) => Promise<void>): Promise<void>;
}

function staged(source: string, made: OutsideSources): Stage {
  const only = <T>(readers: readonly Reader<T>[]) =>
    readers.filter((reader) => reader.source === source);
  const { agents, pulls, cards, jobs } = made;
  return {
    source,
    outside: { agents: only(agents), pulls: only(pulls), cards: only(cards), jobs: only(jobs) },
  };
}

/** In place of a file: whoever opens it plainly waits for ever. */
async function pipe(path: string): Promise<void> {
  await rm(path);
  await promisify(execFile)("mkfifo", [path]);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "freshness-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const forge: Scene = {
  name: "gitea",
  missing: null,
  async play(condition, watch) {
    const fake = await new GiteaFake().start();
    fake.books.issues.push(issueRow(1), issueRow(2, { assignees: ["builder"] }));
    fake.books.pulls.push(pullRow(3, { body: "Closes #2" }));
    fake.books.reviews[3] = [reviewRow(1, "reviewer", "APPROVED", shaOf(3))];
    fake.books.statuses[shaOf(3)] = [statusRow(1, "success")];
    await fake.under(condition);
    try {
      await watch(staged("gitea:example/plane", configured(gitea(fake.url), machine)));
    } finally {
      await fake.close();
    }
  },
};

const cron: Scene = {
  name: "hermes",
  missing: null,
  async play(condition, watch) {
    const files = await HermesFiles.make();
    try {
      await files.jobs(condition === "empty" ? [] : [hermesJob("a"), hermesJob("b")]);
      await files.beat(clockUnder(condition));
      // A file that another program has written half of, and a pipe that nobody writes into.
      if (condition === "malformed") await files.write("jobs.json", '{"jobs": [{"id": "a", "na');
      if (condition === "slow") await pipe(join(files.root, "cron", "jobs.json"));
      if (condition === "down") await files.remove();
      await watch(staged("hermes:default", configured({ hermes: { root: files.root } })));
    } finally {
      await files.remove();
    }
  },
};

const beaten = (condition: Condition): string => String(clockUnder(condition).getTime() / 1000);

const rows = `
  insert into task (queue, data) values ('jobs', x'80049503'), ('jobs', x'80049503'), ('other', x'80');
  insert into schedule (queue, data, timestamp) values ('jobs', x'80', unixepoch() + 3600);
`;

const hueyFile: Scene = {
  name: "huey in sqlite",
  missing: null,
  play: (condition, watch) =>
    inFolder(async (folder) => {
      const huey = new SqliteHuey();
      const path = join(folder, "huey.db");
      const file = join(folder, "heartbeat");
      try {
        await huey.make(path, condition === "empty" ? "" : rows, "delete");
        await writeFile(file, beaten(condition));
        if (condition === "slow") await huey.lock(path);
        if (condition === "down") await rm(path);
        if (condition === "malformed") await writeFile(path, "SQLite format 3\0 and no more");
        const storage = { kind: "sqlite" as const, path };
        const scope = { name: "jobs", queue: "jobs", storage, heartbeat: { file } };
        const read = () => huey.read({ ...scope, heartbeat_every_s: 60, timeout_ms: 1000 });
        const none = { agents: [], pulls: [], cards: [] };
        const source = "huey:jobs";
        await watch({ source, outside: { ...none, jobs: [{ source, read }] } });
      } finally {
        await huey.close();
      }
    }),
};

const hueyRedis: Scene = {
  name: "huey in redis",
  missing: redisInstalled ? null : "there is no redis-server on this machine",
  async play(condition, watch) {
    const server = await RedisServer.start();
    try {
      await server.commands(["SET", "huey.heartbeat.jobs", beaten(condition)]);
      if (condition !== "empty") {
        await server.commands(
          ["LPUSH", "huey.redis.jobs", "pickle", "pickle"],
          ["ZADD", "huey.schedule.jobs", String(Date.now() / 1000 + 3600), "pickle"],
        );
      }
      if (condition === "malformed") {
        await server.commands(["DEL", "huey.redis.jobs"], ["SET", "huey.redis.jobs", "a word"]);
      }
      if (condition === "down") await server.remove();
      if (condition === "slow") server.freeze();
      const heartbeat = { redis_key: "huey.heartbeat.jobs" };
      const queue = { name: "jobs", redis_url_env: "HUEY_REDIS_URL", heartbeat };
      const variables = { HUEY_REDIS_URL: server.url };
      await watch(staged("huey:jobs", configured({ huey: [queue] }, variables)));
    } finally {
      await server.remove();
    }
  },
};

const models = (kind: "ollama" | "openai"): Scene => ({
  name: `endpoint, ${kind}`,
  missing: null,
  async play(condition, watch) {
    const served = condition === "empty" ? [] : ["small", "large"];
    const fake = await new HttpFake(({ url }) =>
      kind === "ollama" && url.pathname === "/api/tags"
        ? { body: { models: served.map((name) => ({ name, size: 1, digest: "d" })) } }
        : kind === "openai" && url.pathname === "/v1/models"
        ? { body: { object: "list", data: served.map((id) => ({ id, object: "model" })) } }
        : { status: 404 }
    ).start();
    await fake.under(condition);
    const url = kind === "openai" ? `${fake.url}/v1` : fake.url;
    const endpoint = { name: "inference", kind, url, timeout_seconds: 1 };
    try {
      await watch(staged("endpoint:inference", configured({ endpoints: [endpoint] })));
    } finally {
      await fake.close();
    }
  },
});

const agent: Scene = {
  name: "agent",
  missing: null,
  play: (condition, watch) =>
    inFolder(async (folder) => {
      const pid_file = join(folder, "builder.pid");
      const heartbeat_file = join(folder, "builder.json");
      const at = clockUnder(condition).toISOString();
      const said = condition === "empty" ? { at } : { at, status: "idle", pid: process.pid };
      await writeFile(pid_file, String(process.pid));
      await writeFile(
        heartbeat_file,
        condition === "malformed" ? JSON.stringify(said).slice(0, 20) : JSON.stringify(said),
      );
      if (condition === "down") await rm(heartbeat_file);
      if (condition === "slow") await pipe(heartbeat_file);
      const one = { name: "builder", pid_file, heartbeat_file };
      await watch(staged("agent:builder", configured({ agents: [one] })));
    }),
};

export const scenes: readonly Scene[] = [
  forge,
  cron,
  hueyFile,
  hueyRedis,
  models("ollama"),
  models("openai"),
  agent,
];
