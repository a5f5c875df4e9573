import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { sourcesOf } from "../../../scripts/launch/command-center.mjs";
import { findDeno, root } from "../../../scripts/launch.mjs";
import { GiteaFake } from "../support/gitea-fake.ts";
import { issueRow } from "../support/gitea-rows.ts";
import { HermesFiles, hermesJob } from "../support/hermes-files.ts";
import { HttpFake } from "../support/http-fake.ts";
import { redisInstalled, RedisServer } from "../../support/redis-server.ts";
import { SqliteHuey } from "../support/sqlite-huey.ts";

const script = fileURLToPath(new URL("../support/permitted-child.ts", import.meta.url));

it.skipIf(!redisInstalled)(
  "every source is read with the permissions that its configuration asks for, and no more",
  async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "permitted-")));
    const now = String(Date.now() / 1000);
    const forge = await new GiteaFake().start();
    forge.books.issues.push(issueRow(1));
    const models = await new HttpFake(() => ({ body: { models: [] } })).start();
    const redis = await RedisServer.start();
    await redis.commands(["SET", "beat", now]);
    const hermes = await HermesFiles.make();
    await hermes.jobs([hermesJob("a")]);
    await hermes.beat(new Date());
    const huey = new SqliteHuey();
    await huey.make(join(folder, "huey.db"), "");
    writeFileSync(join(folder, "huey.beat"), now);
    const agent = spawn("sleep", ["60"], { stdio: "ignore" });
    writeFileSync(join(folder, "pid"), String(agent.pid));
    writeFileSync(join(folder, "agent.beat"), now);
    const document = {
      gitea: {
        base_url: forge.url,
        token_env: "GITEA_MACHINE_TOKEN",
        machine_account: "command-center",
        repositories: ["example/plane"],
      },
      hermes: { root: realpathSync(hermes.root) },
      huey: [
        { name: "a", sqlite: "huey.db", heartbeat: { file: "huey.beat" } },
        { name: "b", redis_url_env: "HUEY_REDIS_URL", heartbeat: { redis_key: "beat" } },
      ],
      endpoints: [{ name: "ollama", kind: "ollama", url: models.url }],
      agents: [{ name: "builder", pid_file: "pid", heartbeat_file: "agent.beat" }],
    };
    const path = join(folder, "sources.yaml");
    writeFileSync(path, JSON.stringify(document));
    const env = { GITEA_MACHINE_TOKEN: "machine-token", HUEY_REDIS_URL: redis.url };
    try {
      const { net, read, env: names, run } = sourcesOf({ ...env, COMMAND_CENTER_CONFIG: path });
      const modules = ["command-center", "functions", "tests", "node_modules", "package.json"];
      const { stdout } = await promisify(execFile)(findDeno() ?? "deno", [
        "run",
        "--no-prompt",
        "--no-remote",
        `--config=${join(root, "deno.json")}`,
        `--allow-net=${net.join(",")}`,
        `--allow-read=${[...modules.map((name) => join(root, name)), ...read].join(",")}`,
        `--allow-env=${names.join(",")}`,
        `--allow-run=${run.join(",")}`,
        "--ignore-env",
        script,
        path,
      ], { env: { ...process.env, ...env }, timeout: 15_000 });
      const told: { source: string; status: string; reason: string | null }[] = JSON.parse(stdout);
      expect(told.map(({ source, status, reason }) => [source, status, reason]).toSorted()).toEqual(
        [
          ["agent:builder", "live", null],
          ["endpoint:ollama", "live", null],
          ["gitea:example/plane", "live", null],
          ["gitea:example/plane", "live", null],
          ["hermes:default", "live", null],
          ["huey:a", "live", null],
          ["huey:b", "live", null],
        ].toSorted(),
      );
      expect(run).toEqual(["ps"]);
      expect(read, "the rest of a Hermes home holds keys").not.toContain(document.hermes.root);
      expect(readdirSync(folder).filter((name) => name.startsWith("huey.db"))).toEqual(["huey.db"]);
    } finally {
      agent.kill("SIGKILL");
      await Promise.all([forge.close(), models.close(), redis.remove(), huey.close()]);
      await hermes.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  },
  30_000,
);
