import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { inChromium, openBrowser } from "../support/browser.ts";
import { fullOutside } from "../support/outside.ts";
import { plantRows } from "../support/planted.ts";
import { booksOf, type Served, served } from "../support/served.ts";

const patience = 90_000;
const views = ["", "/agents", "/reviews", "/cron", "/board", "/kpis", "/memory"].map((one) =>
  `/command${one}`
);

inChromium("reading a page", () => {
  let browser: Browser;
  let db: TestDatabase;
  let site: Served;
  beforeAll(async () => {
    browser = await openBrowser();
    db = await openTestDatabase();
    await plantRows(db);
    site = await served(booksOf(db), fullOutside());
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
    await db.close();
  });

  const past = (statements: string) =>
    db.pg.exec(
      `reset role; set session_replication_role = replica; ${statements};
       set session_replication_role = origin; set role service_role`,
    );
  const open = async (path: string): Promise<Page> => {
    const page = await browser.newPage();
    await page.goto(site.url + path);
    return page;
  };
  const refresh = (page: Page) => page.click("#refresh-now");
  const told = (page: Page, words: RegExp) =>
    expect.poll(() => page.textContent("#refresh-told"), { timeout: 20_000 }).toMatch(words);

  it("leads only to pages that are there, with the object that was meant", async () => {
    const page = await browser.newPage();
    const found = new Set<string>();
    for (const path of [...views, "/command/tasks/T-2026-11-21-0002"]) {
      await page.goto(site.url + path);
      const hrefs = await page.$$eval(
        "a[href]",
        (links) => links.map((link) => link.getAttribute("href") ?? ""),
      );
      for (const href of hrefs) found.add(new URL(href, site.url + path).href);
    }
    const own = [...found].filter((href) => href.startsWith(site.url));
    expect(own.length).toBeGreaterThan(30);
    const pages = new Map<string, string>();
    for (const href of own) {
      const { hash, pathname, search } = new URL(href);
      const key = pathname + search;
      if (!pages.has(key)) {
        const answer = await fetch(site.url + key);
        expect(answer.status, key).toBe(200);
        pages.set(key, await answer.text());
      }
      if (hash) expect(pages.get(key), href).toContain(`id="${decodeURIComponent(hash.slice(1))}"`);
    }
    for (const href of found) {
      if (!href.startsWith(site.url)) {
        expect(href).toMatch(/^https:\/\/git\.example\.org\/example\/plane\//);
      }
    }
    await page.close();
  }, patience);

  describe("that refreshes itself", () => {
    beforeEach(() =>
      past(
        "update public.jobs set last_error = 'no space left on the device' where job_name = 'prune_history'",
      )
    );

    it("fills in what has changed where it stands, and says when it last succeeded", async () => {
      const page = await open("/command/cron");
      const row = page.locator("tr", { hasText: "prune_history" });
      const before = await row.boundingBox();
      await past(
        "update public.jobs set last_error = 'the disk is full' where job_name = 'prune_history'",
      );
      await refresh(page);
      await told(page, /^Last refreshed \d\d:\d\d:\d\d UTC\.$/);
      expect(await row.textContent()).toContain("the disk is full");
      expect((await row.boundingBox())?.y).toBe(before?.y);
      await page.close();
    }, patience);

    it(
      "moves nothing when rows come or go: it offers them, and shows them when asked to",
      async () => {
        const page = await open("/command/board");
        await page.evaluate("scrollTo({ top: 200, behavior: 'instant' })");
        const shown = await page.innerHTML("#main");
        await past(
          `insert into public.tasks (task_id, status, actor, goal, risk_tier, action, source)
         values ('T-2026-11-21-0500', 'created', 'desk', 'Something that has just come', 'T1', 'PUBLISH_IDEA', 'desk')`,
        );
        await page.evaluate("document.getElementById('refresh-now').click()");
        await page.waitForSelector(".news");
        expect(await page.innerHTML("#main")).toBe(shown);
        expect(await page.evaluate("scrollY")).toBe(200);
        await page.click(".news button");
        expect(await page.textContent("#main")).toContain("Something that has just come");
        expect(await page.locator(".news").count()).toBe(0);
        await past("delete from public.tasks where task_id = 'T-2026-11-21-0500'");
        await page.close();
      },
      patience,
    );

    it("leaves alone what somebody has selected", async () => {
      const page = await open("/command/cron");
      await page.evaluate("getSelection().selectAllChildren(document.querySelector('tbody th'))");
      await past(
        "update public.jobs set last_error = 'something else' where job_name = 'prune_history'",
      );
      await refresh(page);
      await told(page, /^Last refreshed/);
      expect(await page.textContent("#main")).not.toContain("something else");
      await page.close();
    }, patience);

    it("can be stopped, and the address keeps it", async () => {
      const page = await open("/command/cron?q=prune");
      await page.click("#refresh-toggle");
      await told(page, /Does not refresh by itself/);
      expect(page.url()).toBe(`${site.url}/command/cron?q=prune&refresh=off`);
      await page.reload();
      expect(await page.textContent("#refresh-toggle")).toBe("Refresh by itself");
      await told(page, /Does not refresh by itself/);
      await page.close();
    }, patience);

    it("says when it could not, and what it shows turns stale by itself", async () => {
      const page = await browser.newPage();
      await page.clock.install();
      await page.goto(`${site.url}/command/cron`);
      expect(await page.locator(".state.good[data-freshness='live']").count()).toBeGreaterThan(0);
      await page.context().setOffline(true);
      await page.clock.fastForward(120_000);
      await told(page, /^Could not refresh .* Last success \d\d:\d\d:\d\d UTC\.$/);
      expect(await page.locator("[data-freshness='live']").count()).toBe(0);
      const [good, unknown] = await page.evaluate(
        `[document.querySelector('.state.good'), document.body].map(
        (part) => getComputedStyle(part).getPropertyValue('background-color'))`,
      ) as string[];
      expect(good).not.toBe(unknown);
      expect(await page.getAttribute("body", "class")).toBe("aged");
      await page.close();
    }, patience);
  });

  it("can be done by keyboard alone: skip, walk, filter and open", async () => {
    const page = await open("/command/reviews");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.name")).toBe("q");
    await page.keyboard.type("ethusdt");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=ethusdt/);
    await page.focus("tbody th a");
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    expect(outline).toBe("solid");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/command\/tasks\/T-2026-11-21-0002#T3-/);
    await page.close();
  }, patience);

  it("says everything without a script, too", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${site.url}/command`);
    expect(await page.textContent(".badges")).toContain("snapshot");
    await page.click("#refresh-now");
    expect(page.url()).toBe(`${site.url}/command`);
    await page.click("#refresh-toggle");
    expect(page.url()).toBe(`${site.url}/command?refresh=off`);
    await context.close();
  }, patience);

  it("is kept from pages of other origins", async () => {
    const page = await browser.newPage();
    await page.goto("data:text/html,<p>elsewhere</p>");
    const read = await page.evaluate(
      (address) =>
        fetch(address).then((answer) => answer.text(), (error) => `refused: ${error.name}`),
      `${site.url}/command`,
    );
    expect(read).toBe("refused: TypeError");
    await page.setContent(`<iframe src="${site.url}/command"></iframe>`);
    await expect.poll(() => page.frames().length).toBe(2);
    const framed = page.frames()[1];
    await expect.poll(() => framed.url()).toMatch(/chrome-error|about:blank/);
    await page.close();
  }, patience);
});
