import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findDeno, launchPlan, root } from "../../scripts/launch.mjs";

const dataDir = "/data";
const flags = (command: string, env: Record<string, string> = {}, ...args: string[]): string[] =>
  launchPlan(command, args, env, dataDir) as string[];
const allowed = (list: string[], name: string): string[] =>
  list.find((flag) => flag.startsWith(`--allow-${name}=`))?.split("=").slice(1).join("=").split(
    ",",
  ) ?? [];

describe("the launcher", () => {
  it("finds no Deno where nothing is installed, and one where it is", () => {
    expect(findDeno(join(root, "no-such-directory"))).toBeNull();
    expect(findDeno()).toMatch(/deno(\.exe)?$/);
  });

  it("knows no other command than its own, not even one that every object has", () => {
    for (const command of ["", "stop", "constructor", "__proto__", "../start"]) {
      expect(flags(command)).toBeNull();
    }
  });

  it("never asks and never gives everything", () => {
    for (const command of ["start", "ags", "demo", "generate"]) {
      const list = flags(command);
      expect(list).toContain("--no-prompt");
      expect(list).toContain("--no-remote");
      expect(list).not.toContain("-A");
      expect(list.filter((flag) => /^--allow-(all|run|ffi|sys|import)|^--allow-\w+$/.test(flag)))
        .toEqual([]);
    }
  });

  it("lets the platform reach its own port and socket, and without a bot token no Telegram", () => {
    expect(allowed(flags("start", { PORT: "8080" }), "net")).toEqual([
      "127.0.0.1:8080",
      "unix:/data/ags.sock",
      "api.binance.com:443",
      "127.0.0.1:54380",
    ]);
  });

  it("leaves it to the boot to say that a port is none", () => {
    for (const PORT of ["abc", "99999", "-1", "80,evil.example", " "]) {
      expect(allowed(flags("start", { PORT }), "net")).toEqual([
        "127.0.0.1:54321",
        "unix:/data/ags.sock",
        "api.binance.com:443",
        "127.0.0.1:54380",
      ]);
    }
  });

  it("lets it reach the hosts that the environment names, with their ports", () => {
    const net = allowed(
      flags("start", {
        DATABASE_URL: "postgres://me:secret@db.example:6543/postgres",
        TELEGRAM_BOT_TOKEN: "1:a",
        LLM_BASE_URL: "http://llm.example/v1",
        QUOTE_URL: "http://quotes.example",
        BROKER_BRIDGE_URL: "https://bridge.example/orders",
        REDIS_URL: "rediss://:secret@redis.example:6380/0",
        TON_WALLET: `0:${"ab".repeat(32)}`,
      }),
      "net",
    );
    expect(net).toEqual([
      "127.0.0.1:54321",
      "unix:/data/ags.sock",
      "db.example:6543",
      "redis.example:6380",
      "api.telegram.org:443",
      "llm.example:80",
      "quotes.example:80",
      "bridge.example:443",
      "tonapi.io:443",
    ]);
    expect(net.join()).not.toContain("secret");
  });

  it("lets the platform write nowhere but in its data directory", () => {
    expect(allowed(flags("start"), "write")).toEqual(["/data"]);
  });

  it("opens one file more for a backup, and for no other command", () => {
    expect(allowed(flags("ags", {}, "backup", "/backups/today.tgz"), "write")).toEqual([
      "/data",
      "/backups/today.tgz",
    ]);
    expect(allowed(flags("ags", {}, "restore", "/backups/today.tgz", "--force"), "write")).toEqual([
      "/data",
    ]);
    expect(allowed(flags("ags", {}, "restore", "/backups/today.tgz"), "read")).toContain(
      "/backups/today.tgz",
    );
    expect(allowed(flags("ags", {}, "sql", "/backups/today.tgz"), "read")).not.toContain(
      "/backups/today.tgz",
    );
  });

  it("lets the command center listen where it was told and reach its database, and write and start nothing", () => {
    const list = flags(
      "command-center",
      {
        DATABASE_URL: "postgres://me:secret@db.example:6543/postgres",
        COMMAND_CENTER_PORT: "8090",
        SERVICE_TOKEN: "not-for-the-pages",
      },
      "--address",
      "::1",
    );
    expect(allowed(list, "net")).toEqual(["127.0.0.1:8090", "[::1]:8090", "db.example:6543"]);
    expect(allowed(list, "sys")).toEqual(["networkInterfaces"]);
    expect(list.filter((flag) => /^--allow-(write|run|ffi)/.test(flag))).toEqual([]);
    expect(allowed(list, "env")).not.toContain("SERVICE_TOKEN");
    expect(allowed(list, "env")).not.toContain("TELEGRAM_BOT_TOKEN");
  });

  it("gives no page a port where the platform's database is a Postgres of its own", () => {
    const env = { DATABASE_URL: "postgres://me:secret@db.example:6543/postgres" };
    expect(allowed(flags("start", env), "net")).not.toContain("127.0.0.1:54380");
  });

  it("gives the demo none of the surroundings' tokens and none of their hosts", () => {
    const list = flags("demo", {
      TELEGRAM_BOT_TOKEN: "1:a",
      DATABASE_URL: "postgres://db.example/x",
    });
    expect(allowed(list, "env")).toEqual(["DATA_DIR", "NO_COLOR"]);
    expect(allowed(list, "net")).toEqual(["127.0.0.1", "unix:/data/ags.sock"]);
  });

  it("may start pg_dump for a backup of your own Postgres, and nothing else", () => {
    const env = { DATABASE_URL: "postgres://db.example/x" };
    expect(allowed(flags("ags", env, "backup", "x.dump"), "run")).toEqual([
      "pg_dump",
      "pg_restore",
    ]);
    expect(allowed(flags("ags", env, "sql", "select 1"), "run")).toEqual([]);
    expect(allowed(flags("ags", {}, "backup", "x.dump"), "run")).toEqual([]);
  });

  it("runs the script of the command with the arguments as they are", () => {
    const list = flags("ags", {}, "sql", "select 1 -- that's all", "--json");
    expect(list.slice(-4)).toEqual([
      join(root, "scripts", "ags.ts"),
      "sql",
      "select 1 -- that's all",
      "--json",
    ]);
  });
});
