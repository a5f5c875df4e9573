import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configurationOf } from "../../command-center/sources/configuration/read.ts";
import { outsideSources } from "../../command-center/sources/outside.ts";
import { addressFor } from "../../command-center/server/address.ts";
import { root, treeOf } from "../support/tree.ts";
import { type Full, openFull } from "./support/full.ts";

const tree = treeOf("command-center");
const page = readFileSync(`${root}/docs/command-center.md`, "utf8");

/** The seven statements by which the command center's requirements are accepted, one test each. */
describe("the command center is accepted, since", () => {
  let db: Full["db"];
  let ask: Full["ask"];
  beforeAll(async () => {
    ({ db, ask } = await openFull());
  });
  afterAll(() => db.close());

  it("1. its views are fixed: brief status, agent health, review queue, cron state, task board, in this order", async () => {
    const brief = await (await ask("/command")).text();
    const nav = /<nav aria-label="Views">([\s\S]*?)<\/nav>/.exec(brief)?.[1] ?? "";
    const paths = [...nav.matchAll(/href="([^"]+)"/g)].map(([, path]) => path);
    expect(paths).toEqual([
      "/command",
      "/command/agents",
      "/command/reviews",
      "/command/cron",
      "/command/board",
      "/command/kpis",
    ]);
    const titles: string[] = [];
    for (const path of paths.slice(0, 5)) {
      titles.push(/<h1>([^<]*)<\/h1>/.exec(await (await ask(path)).text())?.[1] ?? "");
    }
    expect(titles).toEqual([
      "Brief status",
      "Agent health",
      "Review queue",
      "Cron state",
      "Task board",
    ]);
  });

  it("2. it is reached from this machine or the tailnet, and from nowhere else", async () => {
    const wish = { tailscale: false, address: null, port: 54380 };
    expect(addressFor(wish, [])).toMatchObject({ hostname: "127.0.0.1" });
    expect(addressFor({ ...wish, address: "0.0.0.0" }, [])).toMatchObject({ ok: false });
    expect(addressFor({ ...wish, tailscale: true }, [])).toMatchObject({ ok: false });
    expect((await ask("/command", {}, "203.0.113.9")).status).toBe(403);
    expect((await ask("/command", { headers: { host: "evil.example" } })).status).toBe(403);
  });

  it("3. truth is what a named source said at a time, and nothing else is shown as it", async () => {
    for (const path of ["/command", "/command/agents", "/command/cron", "/command/board"]) {
      const shown = await (await ask(path)).text();
      for (const [tag] of shown.matchAll(/<span[^>]*data-freshness="live"[^>]*>/g)) {
        expect(tag).toMatch(/data-source="[^"]+"/);
        expect(tag).toMatch(/data-observed-at="\d{4}-/);
      }
    }
  });

  it("4. reading and writing are apart: the pages read, and no address of theirs writes", async () => {
    for (const path of ["/command", "/command/cron", "/command/tasks/T-2026-11-21-0002"]) {
      const shown = await (await ask(path)).text();
      expect(shown).not.toMatch(/<form(?![^>]*method="get")|formmethod|hx-post|fetch\(/i);
      expect((await ask(path, { method: "POST" })).status).toBe(405);
    }
    const code = [...tree].filter(([path]) => /^command-center\/(server|pages|html)/.test(path));
    expect(code.filter(([, text]) => /\b(app|router)\.(post|put|patch|delete|all|on)\(/.test(text)))
      .toEqual([]);
  });

  it("5. it is decided who owns it: this repository, where the policy and its doctrine are", () => {
    expect(page).toMatch(/## Who owns it/);
    expect(page).toMatch(/policies\//);
  });

  it("6. nothing in it needs a path of somebody's machine", () => {
    const local = /(^|[\s"'`(=:])(\/home\/\w|\/Users\/\w|\/root\/|~\/|[A-Z]:\\\w)/m;
    const found = [...tree].filter(([, text]) => local.test(text)).map(([path]) => path);
    expect(found).toEqual([]);
    expect(local.test(page)).toBe(false);
    expect(local.test(`see ${"/home"}/otto`)).toBe(true);
  });

  it("7. it never falls back to a person's token: without the machine's the source is unknown", async () => {
    const variables: Record<string, string> = {
      GITEA_TOKEN: "of a person",
      GITHUB_TOKEN: "of a person",
      HOME: "somewhere",
    };
    const asked: string[] = [];
    const { pulls } = outsideSources(
      configurationOf(
        JSON.stringify({
          gitea: {
            base_url: "http://127.0.0.1:1",
            token_env: "GITEA_MACHINE_TOKEN",
            machine_account: "center",
            repositories: ["a/b"],
          },
        }),
        ".",
      ),
      {
        fetch: () => Promise.reject(new Error("nobody may be asked")),
        variable: (name) => {
          asked.push(name);
          return variables[name];
        },
      },
    );
    const [reading] = await Promise.all(
      pulls.map((reader) => reader.read(new Date(), AbortSignal.timeout(1000))),
    );
    expect(reading).toMatchObject({ status: "unknown", value: null });
    expect(reading.reason).toContain("GITEA_MACHINE_TOKEN");
    expect(asked).toEqual(["GITEA_MACHINE_TOKEN"]);
  });
});
