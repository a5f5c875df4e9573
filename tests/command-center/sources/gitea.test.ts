import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Reading } from "../../../command-center/truth/reading.ts";
import type { OutsideSources } from "../../../command-center/sources/outside.ts";
import { configured, gitea, look, machine } from "../support/configured.ts";
import { GiteaFake } from "../support/gitea-fake.ts";
import { issueRow, pullRow } from "../support/gitea-rows.ts";

let fake: GiteaFake;
beforeEach(async () => {
  fake = await new GiteaFake().start();
});
afterEach(() => fake.close());

const sources = (more: object = {}, variables: Record<string, string> = machine): OutsideSources =>
  configured(gitea(fake.url, more), variables);
const cards = ({ cards: [reader] }: OutsideSources, now = new Date()) => reader.read(now, look());
const pulls = ({ pulls: [reader] }: OutsideSources, now = new Date()) => reader.read(now, look());
const later = (seconds: number): Date => new Date(Date.now() + seconds * 1000);
const word = <T>({ status, reason }: Reading<T>) => ({ status, reason });

describe("whose token it is", () => {
  it("is unknown without the machine's credential, and asks nobody", async () => {
    const all = sources({}, { GITEA_TOKEN: "a person's", GITEA_MACHINE_TOKEN: "" });
    expect(word(await pulls(all))).toEqual({
      status: "unknown",
      reason: "its machine credential GITEA_MACHINE_TOKEN is not set",
    });
    expect(fake.asked).toEqual([]);
  });

  it("refuses a token that belongs to a person", async () => {
    fake.login = "alice";
    expect(word(await pulls(sources()))).toEqual({
      status: "unknown",
      reason: "the token is not that of the machine account",
    });
    expect(fake.asked.map(({ url }) => url.pathname)).toEqual(["/api/v1/user"]);
  });

  it("does not trust a token whose owner cannot be told", async () => {
    fake.odd.set("/api/v1/user", { status: 403, body: { message: "token lacks scope" } });
    const { status, reason } = await pulls(sources());
    expect({ status, reason }).toEqual({
      status: "unknown",
      reason: "whose token it is cannot be told: it lacks the scope read:user",
    });
  });

  it("says when the token is not taken, without showing it", async () => {
    fake.token = "another";
    const reading = await cards(sources());
    expect(word(reading)).toEqual({
      status: "unknown",
      reason: "it does not take the token (401)",
    });
    expect(JSON.stringify(reading)).not.toContain("machine-token");
  });

  it("follows no redirect with its token", async () => {
    fake.always = { status: 302, headers: { location: "http://127.0.0.1:9/elsewhere" } };
    expect((await cards(sources())).reason).toBe(
      "it answered with a redirect, and none is followed",
    );
  });
});

describe("lists", () => {
  const many = () =>
    fake.books.issues.push(...Array.from({ length: 23 }, (_, i) => issueRow(i + 1)));

  it.each(["link", "count", "neither"] as const)(
    "are read over all pages when the server tells its pages by: %s",
    async (paging) => {
      many();
      fake.paging = paging;
      // Shorter pages than were asked for, as a server may be set up.
      fake.page_most = 10;
      const { status, value } = await cards(sources());
      expect({ status, count: value?.length }).toEqual({ status: "live", count: 23 });
    },
  );

  it("are degraded where the bound on pages cuts them", async () => {
    many();
    fake.page_most = 10;
    const reading = await cards(sources({ max_pages: 2 }));
    expect(word(reading)).toEqual({
      status: "degraded",
      reason: "there are more issues than were read",
    });
    expect(reading.value).toHaveLength(20);
  });

  it("leave out pull requests that an older server lists as issues, and what is closed", async () => {
    fake.books.issues.push(
      issueRow(1),
      { ...issueRow(2), pull_request: { merged: false } },
      { ...issueRow(3), state: "closed" },
    );
    expect((await cards(sources())).value?.map(({ id }) => id)).toEqual(["example/plane#1"]);
    expect(fake.asked.find(({ url }) => url.pathname.endsWith("/issues"))?.url.search)
      .toContain("type=issues");
  });

  it("are asked for by a few questions at once, however many pull requests there are", async () => {
    for (let number = 1; number <= 12; number++) fake.books.pulls.push(pullRow(number));
    await pulls(sources({ concurrency: 3 }));
    expect(fake.most_at_once).toBe(3);
  });

  it("refuse an answer that does not end", async () => {
    fake.books.issues.push(issueRow(1, { body: "x".repeat(5_000_000) }));
    expect((await cards(sources())).reason).toBe("its answer is larger than 4194304 bytes");
  });

  it("do not lead anybody to another host", async () => {
    fake.books.issues.push({ ...issueRow(1), html_url: "https://elsewhere.example/1" });
    expect((await cards(sources())).value?.[0].href).toBe(`${fake.url}/example/plane/issues/1`);
  });
});

describe("how often it is asked", () => {
  it("asks again only after its interval, and shows the age meanwhile", async () => {
    const all = sources({ every_seconds: 30 });
    const first = await cards(all);
    const asked = fake.asked.length;
    expect(await cards(all, later(20))).toEqual(first);
    expect(fake.asked).toHaveLength(asked);
    await cards(all, later(31));
    expect(fake.asked.length).toBeGreaterThan(asked);
  });

  it("shares one round between views and pages that look at once", async () => {
    const all = sources();
    await Promise.all([cards(all), pulls(all), cards(all), pulls(all)]);
    expect(fake.asked.filter(({ url }) => url.pathname.endsWith("/issues"))).toHaveLength(1);
  });

  it("asks by ETag, and an unchanged list has the time of the answer that says so", async () => {
    fake.etags = true;
    fake.books.issues.push(issueRow(1));
    const all = sources();
    const first = await cards(all);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const second = await cards(all, later(6));
    expect(fake.asked.at(-1)?.headers["if-none-match"]).toMatch(/^"/);
    expect(second.value).toEqual(first.value);
    expect(Date.parse(second.observed_at ?? "")).toBeGreaterThan(
      Date.parse(first.observed_at ?? ""),
    );
  });

  it("leaves a server that limits it alone, and shows what it last heard with its age", async () => {
    fake.books.issues.push(issueRow(1));
    const all = sources({ every_seconds: 5 });
    expect((await cards(all)).status).toBe("live");
    fake.always = { status: 429, headers: { "retry-after": "120" } };
    const limited = await cards(all, later(6));
    expect(word(limited)).toEqual({
      status: "degraded",
      reason: "the last look failed: it limits the rate of questions (429)",
    });
    const asked = fake.asked.length;
    expect(word(await cards(all, later(60))).status).toBe("stale");
    expect(fake.asked, "nothing is asked before the time it named").toHaveLength(asked);
    fake.always = null;
    expect((await cards(all, later(130))).reason).not.toMatch(/429/);
  });

  it("forgets what it heard an hour ago", async () => {
    fake.books.issues.push(issueRow(1));
    const all = sources();
    await cards(all);
    fake.always = { status: 503 };
    expect((await cards(all, later(3000))).status).toBe("stale");
    const { status, value, reason } = await cards(all, later(3700));
    expect({ status, value, reason }).toEqual({
      status: "unknown",
      value: null,
      reason: "it answered 503",
    });
  });

  it("has no time when a single answer of the round carries none", async () => {
    fake.undated.add("/api/v1/repos/example/plane/pulls");
    expect(word(await cards(sources()))).toEqual({
      status: "unknown",
      reason: "the source gave no time",
    });
  });

  it("has no time, and so no truth, when the answers carry none", async () => {
    fake.dated = false;
    expect(word(await cards(sources()))).toEqual({
      status: "unknown",
      reason: "the source gave no time",
    });
  });
});
