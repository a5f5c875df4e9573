import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configurationOf } from "../../command-center/sources/configuration/read.ts";
import { figureOf } from "../../command-center/truth/figure.ts";
import { blind, seen } from "../../command-center/truth/reading.ts";
import { treeOf } from "../support/tree.ts";
import { type Full, openFull } from "./support/full.ts";
import { fullOutside, nothingOutside, saying } from "./support/outside.ts";
import { asking, booksOf, deafBooks } from "./support/served.ts";

const tree = treeOf("command-center");
const paths = ["", "/agents", "/reviews", "/cron", "/board", "/kpis"].map((one) =>
  `/command${one}`
);

/** Truth against theater: the eight rules, one test each. */
describe("the command center", () => {
  let db: Full["db"];
  let ask: Full["ask"];
  beforeAll(async () => {
    ({ db, ask } = await openFull());
  });
  afterAll(() => db.close());

  it("1. has no hidden effect when it reads", async () => {
    const written = () =>
      db.owner<{ sum: string }>(
        `select (select count(*) from public.audit_logs) || ':' || (select coalesce(max(xmin::text::bigint), 0) from public.tasks)
           || ':' || (select string_agg(coalesce(last_value, 0)::text, ',' order by sequencename) from pg_sequences) as sum`,
      );
    const before = await written();
    for (const path of paths) await (await ask(path)).text();
    expect(await written()).toEqual(before);
  });

  it("2. shows nothing green without a source that gave a time", async () => {
    const now = new Date();
    const made = (observed_at: unknown) =>
      figureOf(seen({ source: "s", now, observed_at, max_age_s: 60, value: 1 }), () => 1).freshness;
    expect([made(null), made("now"), made(0), made(now.toISOString())])
      .toEqual(["unknown", "unknown", "unknown", "live"]);
    for (const path of paths) {
      const page = await (await ask(path)).text();
      for (const [tag] of page.matchAll(/<span class="figure state good"[^>]*>/g)) {
        expect(tag).toContain('data-freshness="live"');
        expect(tag).toMatch(/data-observed-at="\d{4}-/);
      }
    }
  });

  it("3. keeps no second queue that could disagree with the first", async () => {
    const kept = await db.owner(
      `select c.relname from pg_class c where c.relnamespace = 'command_center'::regnamespace and c.relkind not in ('v')`,
    );
    expect(kept).toEqual([]);
    const before = await (await ask("/command/board")).text();
    expect(before).toContain("Publish an idea about SOLUSDT");
    await db.pg.exec(
      `reset role; set session_replication_role = replica;
       update public.tasks set status = 'cancelled', ended_at = now() where task_id = 'T-2026-11-21-0004';
       set session_replication_role = origin; set role service_role`,
    );
    expect(await (await ask("/command/board")).text()).not.toContain(
      "Publish an idea about SOLUSDT",
    );
  });

  it("4. has no board that is kept by hand: a lane is computed, and stored nowhere", async () => {
    const columns = await db.owner(
      `select table_name, column_name from information_schema.columns
       where table_schema in ('public', 'private', 'command_center') and column_name ~ '(^|_)(lane|swimlane|board)(_|$)'`,
    );
    expect(columns).toEqual([]);
    const { cards } = fullOutside();
    const [gitea] = await Promise.all(
      cards.map((reader) => reader.read(new Date(), new AbortController().signal)),
    );
    expect(JSON.stringify(gitea)).not.toContain('"lane"');
  });

  it("5. never passes off what is stale as live", async () => {
    const old = {
      ...nothingOutside,
      jobs: [saying("hermes", [], { observed_at: (now) => new Date(now.getTime() - 3_600_000) })],
    };
    const stale = await asking(booksOf(db), old);
    const page = await (await stale("/command/cron")).text();
    const [, hermes] = /<li class="(\w+)"><span class="name">hermes<\/span>/.exec(page) ?? [];
    expect(hermes).toBe("stale");
    expect(page).toContain("last heard of 60 min ago, expected within 60 s");
  });

  it("6. puts being clear before being pretty: nothing moves, nothing is drawn for show, unknown says why", async () => {
    const style = tree.get("command-center/static/style.css") ?? "";
    expect(style).not.toMatch(/@keyframes|animation|gradient|@import|url\(/);
    const deaf = await asking(deafBooks, nothingOutside);
    for (const path of paths) {
      const page = await (await deaf(path)).text();
      expect(page).toMatch(/unknown<span class="why"> \([^)]+/);
    }
  });

  it("7. takes no person's credential: a configuration can name a machine's variable and nothing else", () => {
    const gitea = {
      base_url: "http://127.0.0.1:3000",
      machine_account: "m",
      repositories: ["a/b"],
    };
    const reading = (more: object) => () =>
      configurationOf(JSON.stringify({ gitea: { ...gitea, ...more } }), ".");
    expect(reading({ token_env: "GITEA_MACHINE_TOKEN" })).not.toThrow();
    expect(reading({})).toThrow(/token_env/);
    expect(reading({ token: "a1b2c3" })).toThrow();
    expect(reading({ token_env: "GITEA_MACHINE_TOKEN", token_file: "x" })).toThrow();
    for (const [path, text] of tree) {
      if (path.startsWith("command-center/static/")) {
        expect(text, path).not.toMatch(
          /token|authorization|password|localStorage|document\.cookie/i,
        );
      }
    }
  });

  it("8. names no path of a developer's machine, in its pages and in its example", async () => {
    const local = /(\/home\/\w|\/Users\/\w|\/root\/|[A-Z]:\\\w)/;
    for (const path of paths) expect(await (await ask(path)).text()).not.toMatch(local);
    expect(tree.get("command-center/sources.example.yaml")).not.toMatch(local);
    expect(() => configurationOf("hermes: { root: ~/hermes }", ".")).toThrow();
    const gone = blind({ source: "hermes", max_age_s: 1, reason: "its file is not there" });
    expect(gone.reason).not.toMatch(local);
  });
});
