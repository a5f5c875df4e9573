import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Books } from "../../../command-center/platform/books.ts";
import type { OutsideSources } from "../../../command-center/server/look.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { inChromium, openBrowser, picture } from "../support/browser.ts";
import { emptyOutside, fullOutside, nothingOutside } from "../support/outside.ts";
import { plantRows } from "../support/planted.ts";
import { booksOf, deafBooks, type Served, served } from "../support/served.ts";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

const pages = {
  brief: "/command",
  agents: "/command/agents",
  reviews: "/command/reviews",
  cron: "/command/cron",
  board: "/command/board",
  kpis: "/command/kpis",
  memory: "/command/memory",
  task: "/command/tasks/T-2026-11-21-0002",
};

/** Three looks and as many runs of axe, on a machine that others use, too. */
const patience = 120_000;

const looks = {
  light: { colorScheme: "light", viewport: { width: 1360, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1360, height: 900 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 } },
} as const;

inChromium("the pages in a browser", () => {
  let browser: Browser;
  let full: TestDatabase;
  let empty: TestDatabase;
  beforeAll(async () => {
    browser = await openBrowser();
    full = await openTestDatabase();
    empty = await openTestDatabase();
    await plantRows(full);
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([full.close(), empty.close()]);
  });

  const databases: Record<string, () => [Books, OutsideSources]> = {
    full: () => [booksOf(full), fullOutside()],
    empty: () => [booksOf(empty), emptyOutside],
    blind: () => [deafBooks, nothingOutside],
  };

  describe.each(Object.entries(databases))("over a %s database", (kind, sourcesOf) => {
    let site: Served;
    beforeAll(async () => {
      site = await served(...sourcesOf());
    });
    afterAll(() => site.close());

    const views = Object.entries(pages).filter(([name]) => kind !== "empty" || name !== "task");
    it.each(views)(
      "shows %s without an error, a word to another host or a fault that axe finds",
      async (name, path) => {
        for (const [look, options] of Object.entries(looks)) {
          const context = await browser.newContext(options);
          const seen = await watching(context);
          const page = await context.newPage();
          const answer = await page.goto(site.url + path);
          expect(answer?.status()).toBe(200);
          await page.screenshot({ path: picture(`${kind}-${name}-${look}`), fullPage: true });
          expect(seen.errors).toEqual([]);
          expect(seen.hosts).toEqual([new URL(site.url).host]);
          expect(seen.methods).toEqual(["GET"]);
          expect(await faults(page)).toEqual([]);
          // axe sees what is there; that a row can be read it does not.
          const unseen = await page.evaluate(
            "[...document.querySelectorAll('tbody tr, .card, .tile')].filter((row) => row.offsetHeight < 20 || row.offsetWidth < 100).length",
          );
          expect(unseen).toBe(0);
          expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))
            .toBeLessThanOrEqual(0);
          await context.close();
        }
      },
      patience,
    );
  });
});

interface Seen {
  errors: string[];
  hosts: string[];
  methods: string[];
}

async function watching(context: BrowserContext): Promise<Seen> {
  const seen: Seen = { errors: [], hosts: [], methods: [] };
  const once = (list: string[], what: string) => list.includes(what) || list.push(what);
  context.on("request", (request) => {
    once(seen.hosts, new URL(request.url()).host);
    once(seen.methods, request.method());
  });
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) seen.errors.push(message.text());
  });
  context.on("weberror", (error) => seen.errors.push(String(error.error())));
  return await Promise.resolve(seen);
}

/** axe runs beside the page: its own policy lets no foreign script in, so it is put in through the debugger. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axe, "utf8"));
  return await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    }).axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.slice(0, 3).map(({ html }) => `${id}: ${html.slice(0, 160)}`)
    );
  });
}
