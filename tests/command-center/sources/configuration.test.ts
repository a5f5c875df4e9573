import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isNear } from "../../../command-center/sources/configuration/hosts.ts";
import {
  configurationOf,
  ConfigurationRefused,
} from "../../../command-center/sources/configuration/read.ts";
import { configured, look } from "../support/configured.ts";

const example = readFileSync(
  new URL("../../../command-center/sources.example.yaml", import.meta.url),
  "utf8",
);

const refused = (text: string): string => {
  try {
    configurationOf(text, "/");
  } catch (error) {
    if (error instanceof ConfigurationRefused) return error.message;
    throw error;
  }
  throw new Error("it was taken");
};

const forge = (more: string) => `
gitea:
  base_url: https://git.example.org
  token_env: GITEA_MACHINE_TOKEN
  machine_account: command-center
  repositories: [example/plane]
${more}`;

describe("the configuration of the sources", () => {
  it("takes the example as it stands, which names no machine's path and no secret", () => {
    const { gitea, huey, agents } = configurationOf(example, "/srv/center");
    expect(gitea?.token_env).toBe("GITEA_MACHINE_TOKEN");
    expect(huey[0].sqlite).toBe("/srv/center/state/huey.db");
    expect(agents[0].heartbeat_file).toBe("/srv/center/state/builder.heartbeat.json");
    expect(example).not.toMatch(/["' ](\/|~)[a-z]/);
  });

  it.each([
    ["a token beside its name", forge("  token: abc"), "gitea.token"],
    [
      "a token in the name's place",
      forge("").replace("GITEA_MACHINE_TOKEN", "f".repeat(40)),
      "gitea.token_env",
    ],
    [
      "a key of OpenAI's kind",
      `endpoints: [{name: a, kind: openai, url: "http://127.0.0.1", token_env: sk-${
        "a1".repeat(10)
      }}]`,
      "endpoints.0.token_env",
    ],
    [
      "a password in an address",
      `endpoints: [{name: a, kind: http, url: "http://me:pass@127.0.0.1"}]`,
      "endpoints.0.url",
    ],
  ])("refuses %s, and does not repeat it", (_, text, at) => {
    const sentence = refused(text);
    expect(sentence).toBe(
      `What stands at ${at} looks like a secret. Name the environment variable that holds it.`,
    );
  });

  it.each([
    ["a personal home", "hermes: {root: ~/.hermes}", "no ~ and no variable"],
    ["a key that it does not know", forge("  personal_token_env: X_TOKEN"), "personal_token_env"],
    ["a token sent in the clear", forge("").replace("https:", "http:"), "over https"],
    [
      "a host that nobody trusts",
      `endpoints: [{name: a, kind: http, url: "http://10.0.0.7/"}]`,
      "nor trusted",
    ],
    [
      "a query in an address",
      `endpoints: [{name: a, kind: http, url: "http://127.0.0.1/?k=1"}]`,
      "without credentials or a query",
    ],
    [
      "a queue kept in two places",
      "huey: [{name: a, sqlite: x, redis_url_env: R_URL}]",
      "one of the two",
    ],
    ["an agent that nothing shows", "agents: [{name: a}]", "a pid file, a heartbeat file, or both"],
    [
      "two agents of one name",
      "agents: [{name: a, pid_file: x}, {name: a, pid_file: y}]",
      "a name of its own",
    ],
    ["what is no YAML", "gitea: [", "no YAML"],
  ])("refuses %s", (_, text, why) => {
    expect(refused(text)).toContain(why);
  });

  it("demands the machine account's name of a forge", () => {
    expect(refused(forge("").replace("  machine_account: command-center\n", "")))
      .toContain("gitea.machine_account");
  });

  it("trusts a host that is named", () => {
    const text =
      `{trusted_hosts: [10.0.0.7], endpoints: [{name: a, kind: http, url: "http://10.0.0.7/"}]}`;
    expect(configurationOf(text, "/").endpoints[0].url).toBe("http://10.0.0.7/");
  });

  it("makes what is not configured unknown, by its name", async () => {
    const { agents, pulls, cards, jobs } = configured({});
    const told = await Promise.all(
      [...agents, ...pulls, ...cards, ...jobs].map(async (reader) => {
        const { source, status, reason } = await reader.read(new Date(), look());
        return `${source}: ${status}, ${reason}`;
      }),
    );
    expect(told).toEqual(
      ["agents", "endpoints", "gitea", "gitea", "hermes", "huey"].map((source) =>
        `${source}: unknown, it is not configured`
      ),
    );
  });
});

describe("near is this machine or the tailnet", () => {
  it.each([
    ["localhost", true],
    ["127.8.8.8", true],
    ["[::1]", true],
    ["100.64.0.1", true],
    ["100.127.255.255", true],
    ["100.128.0.1", false],
    ["100.63.255.255", false],
    ["[fd7a:115c:a1e0::1]", true],
    ["[fd7a:115c:a1e1::1]", false],
    ["box.tail1234.ts.net", true],
    ["ts.net.example.org", false],
    ["0.0.0.0", false],
    ["192.168.1.4", false],
    ["git.example.org", false],
  ])("%s: %s", (host, near) => {
    expect(isNear(host)).toBe(near);
  });
});
