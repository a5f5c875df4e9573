import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Full, openFull } from "../support/full.ts";
import { nothingOutside } from "../support/outside.ts";
import { asking, deafBooks } from "../support/served.ts";

const views = ["", "/agents", "/reviews", "/cron", "/board", "/kpis"].map((one) =>
  `/command${one}`
);
const task = "/command/tasks/T-2026-11-21-0002";

describe("the command center", () => {
  let db: Full["db"];
  let ask: Full["ask"];
  beforeAll(async () => {
    ({ db, ask } = await openFull());
  });
  afterAll(() => db.close());

  it("answers GET and HEAD and nothing else, on every address it knows", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
      for (const path of [...views, task, "/command/static/style.css", "/"]) {
        const answer = await ask(path, { method });
        expect(answer.status, `${method} ${path}`).toBe(405);
        expect(answer.headers.get("allow")).toBe("GET, HEAD");
      }
    }
    expect((await ask("/command", { method: "HEAD" })).status).toBe(200);
  });

  it("answers nobody from outside the trusted network, and says no more than that", async () => {
    const stranger = await ask("/command", {}, "203.0.113.9");
    expect(stranger.status).toBe(403);
    expect(await stranger.text()).not.toMatch(/postgres|T-2026/);
    expect((await ask("/command", { headers: { host: "evil.example" } })).status).toBe(403);
  });

  it("has no login, takes no credential and sets no cookie", async () => {
    for (const path of ["/login", "/command/login", "/auth", "/session", "/token"]) {
      expect((await ask(path)).status).toBe(404);
    }
    for (const path of [...views, task]) {
      const answer = await ask(path);
      expect(answer.headers.get("set-cookie")).toBeNull();
      expect(answer.headers.get("www-authenticate")).toBeNull();
      expect(await answer.text()).not.toMatch(/type="password"|authorization|bearer/i);
    }
  });

  it("lets nothing run inline, nothing come from elsewhere, and nobody frame or read it", async () => {
    for (const path of [...views, "/command/static/watch.js", "/nowhere"]) {
      const { headers } = await ask(path);
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy, path).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cache-control")).toBe("no-store");
    }
  });

  it("says on every page when it was made, that it only reads, and where its figures come from", async () => {
    for (const path of [...views, task, "/command/memory"]) {
      const page = await (await ask(path)).text();
      expect(page, path).toMatch(/snapshot <span[^>]*>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
      expect(page).toContain("read-only");
      expect(page).toMatch(/class="badge database live"/);
    }
    const deaf = await asking(deafBooks, nothingOutside);
    for (const path of views) {
      const page = await (await deaf(path)).text();
      expect(page, path).toContain("database unavailable");
      expect(page).not.toMatch(/class="(figure state|tile) good"/);
    }
  });

  it("gives every figure a source, a time and a freshness", async () => {
    for (const path of [...views, task]) {
      const page = await (await ask(path)).text();
      const figures = [...page.matchAll(/<(?:span|text)[^>]*data-source="([^"]*)"[^>]*>/g)];
      expect(figures.length, path).toBeGreaterThan(10);
      for (const [tag, source] of figures) {
        expect(source).not.toBe("");
        const freshness = /data-freshness="([a-z]+)"/.exec(tag)?.[1] ?? "none";
        expect(["live", "stale", "degraded", "unknown"]).toContain(freshness);
        const time = /data-observed-at="([^"]*)"/.exec(tag)?.[1];
        if (freshness !== "unknown") expect(Date.parse(time ?? "")).not.toBeNaN();
      }
    }
  });

  it("keeps every cell of every table and every card inside a figure", async () => {
    const fixed = new Set(["agent health", "review queue", "cron state", "task board"]);
    for (const path of [...views, task]) {
      const page = await (await ask(path)).text();
      const cells = [
        ...page.matchAll(/<(?:td|th) [^>]*data-label="[^"]*"[^>]*>([\s\S]*?)<\/t[dh]>/g),
      ];
      for (const [, cell] of cells) {
        if (!fixed.has(cell)) expect(cell, path).toContain("data-source=");
      }
    }
  });

  it("shows what a source says as words, whatever it says", async () => {
    const page = await (await ask("/command/board")).text();
    expect(page).toContain("&lt;b&gt;markup&lt;/b&gt; &amp; &quot;quotes&quot;");
    expect(page).not.toContain("<b>markup</b>");
    const searched = await (await ask(`/command/board?q=${encodeURIComponent('"><script>x')}`))
      .text();
    expect(searched).not.toContain("<script>x");
  });

  it("keeps the addresses of memory's review and the key gateway, and says that nothing is connected", async () => {
    const memory = await ask("/command/memory");
    expect(memory.status).toBe(200);
    expect(await memory.text()).toMatch(/id="review"[\s\S]*unknown[\s\S]*not connected/);
    const agents = await ask("/command/agents");
    expect(await agents.text()).toMatch(/id="gateway"[\s\S]*unknown[\s\S]*not connected/);
  });

  it("finds no page and no task where there is none, and no file outside its three", async () => {
    const paths = [
      "/command/tasks/T-2026-01-01-0001",
      "/command/tasks/'%20or%20true--",
      "/command/nowhere",
      "/command/static/..%2fmain.ts",
      "/command/static/constructor",
    ];
    for (const path of paths) expect((await ask(path)).status, path).toBe(404);
  });

  it("is asked everything by its address: search, filter, order and window", async () => {
    const text = async (path: string) => (await ask(path)).text();
    expect(await text("/command/board?q=ethusdt")).toContain("Buy 0.5 ETHUSDT");
    expect(await text("/command/board?q=ethusdt")).not.toContain("SOLUSDT");
    expect(await text("/command/board?q=100%25")).not.toContain("SOLUSDT");
    expect(await text("/command/board?only=blocked")).not.toContain("lane-in-review");
    expect(await text("/command/board?tier=T2")).not.toContain("Buy 0.5 ETHUSDT");
    expect(await text("/command/reviews?only=ready")).not.toContain("Change number 14");
    expect(await text("/command/kpis?window=30+d")).toContain("Figures over 30 d");
    const named = (page: string) =>
      [...page.matchAll(/data-row="([^"]*)"/g)].map(([, key]) => key).filter((key) =>
        key.startsWith("agent:desk/")
      );
    const up = named(await text("/command/agents?sort=name"));
    const down = named(await text("/command/agents?sort=name-down"));
    expect(up).toEqual([...up].sort());
    expect(down).toEqual([...up].reverse());
  });

  it("does not stumble over an address that nobody would write", async () => {
    const odd = [
      "?only=%00",
      "?sort=__proto__",
      "?tier=T9",
      "?window=1e9",
      `?q=${"x".repeat(5000)}`,
    ];
    for (const query of odd) {
      for (const path of views) expect((await ask(path + query)).status, query).toBe(200);
    }
  });

  it("sends itself packed to whoever can unpack it", async () => {
    const answer = await ask("/command", { headers: { "accept-encoding": "gzip" } });
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    expect(gunzipSync(new Uint8Array(await answer.arrayBuffer())).toString()).toContain("</html>");
  });
});
