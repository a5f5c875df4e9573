import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Reading } from "../../../command-center/truth/reading.ts";
import type { OutsideSources } from "../../../command-center/sources/outside.ts";
import { configured, gitea, look, machine } from "../support/configured.ts";
import { GiteaFake } from "../support/gitea-fake.ts";
import { issueRow, pullRow, reviewRow, shaOf, statusRow } from "../support/gitea-rows.ts";

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

  it("has no time, and so no truth, when the answers carry none", async () => {
    fake.dated = false;
    expect(word(await cards(sources()))).toEqual({
      status: "unknown",
      reason: "the source gave no time",
    });
  });
});

describe("pull requests", () => {
  const only = async (more: object = {}) => {
    const reading = await pulls(sources(more));
    expect(reading.value).toHaveLength(1);
    return { ...word(reading), pull: reading.value?.[0] };
  };

  it("count only official, fresh, undismissed reviews of the commit at the head", async () => {
    fake.books.pulls.push(pullRow(1));
    const head = shaOf(1);
    fake.books.reviews[1] = [
      reviewRow(1, "counts", "APPROVED", head),
      reviewRow(2, "unofficial", "APPROVED", head, { official: false }),
      reviewRow(3, "stale", "APPROVED", head, { stale: true }),
      reviewRow(4, "dismissed", "REQUEST_CHANGES", head, { dismissed: true }),
      reviewRow(5, "older", "APPROVED", shaOf(99)),
      reviewRow(6, "comments", "COMMENT", head),
      reviewRow(7, "earlier", "REQUEST_CHANGES", shaOf(99)),
      reviewRow(8, "silent", "APPROVED", head, { stale: undefined, official: undefined }),
    ];
    expect((await only()).pull).toMatchObject({
      approvals: 1,
      changes_requested: 0,
      changes_requested_earlier: 1,
    });
  });

  it("take the last verdict of each person", async () => {
    fake.books.pulls.push(pullRow(1));
    fake.books.reviews[1] = [
      reviewRow(1, "carol", "APPROVED", shaOf(1)),
      reviewRow(2, "carol", "REQUEST_CHANGES", shaOf(1)),
      reviewRow(3, "carol", "COMMENT", shaOf(1)),
    ];
    expect((await only()).pull).toMatchObject({ approvals: 0, changes_requested: 1 });
  });

  it.each([
    ["success", ["success", "success"]],
    ["failure", ["success", "failure"]],
    ["failure", ["pending", "error"]],
    ["failure", ["success", "warning"]],
    ["pending", ["success", "pending"]],
    [null, ["success", "a word nobody knows"]],
    ["none", []],
  ])("have the worst of their checks: %s for %j", async (expected, parts) => {
    fake.books.pulls.push(pullRow(1));
    fake.books.statuses[shaOf(1)] = parts.map((status, id) => statusRow(id, status));
    expect((await only()).pull?.checks).toBe(expected);
  });

  it.each([
    [true, 1, true],
    [null, 1, null],
    // After a push the server says no until it has computed; an old no is a no.
    [false, 0, null],
    [false, 1, false],
  ])("read mergeable %s, touched %i hours ago, as %s", async (mergeable, hours, expected) => {
    fake.books.pulls.push(pullRow(1, { mergeable, updated_hours_ago: hours }));
    expect((await only()).pull?.mergeable).toBe(expected);
  });

  it("are unknown in what could not be read, and the list says so", async () => {
    fake.books.pulls.push(pullRow(1));
    fake.odd.set("/api/v1/repos/example/plane/pulls/1/reviews", { status: 500, body: {} });
    const { status, reason, pull } = await only();
    expect({ status, reason, approvals: pull?.approvals }).toEqual({
      status: "degraded",
      reason: "the reviews, checks or files of some pull requests could not be read in full",
      approvals: null,
    });
  });

  it("are sensitive by label and by changed path", async () => {
    fake.books.pulls.push(pullRow(1, { labels: ["risk/high", "docs"] }));
    fake.books.files[1] = ["README.md", "src/deep/auth/token.ts"];
    const sensitive = { labels: ["risk/*"], paths: ["**/auth/**", "policies/**"] };
    expect((await only({ sensitive })).pull?.sensitive)
      .toEqual(["label risk/high", "changes **/auth/**"]);
  });

  it("are not called harmless when what they change could not be read", async () => {
    fake.books.pulls.push(pullRow(1));
    fake.odd.set("/api/v1/repos/example/plane/pulls/1/files", { status: 500, body: {} });
    expect((await only({ sensitive: { paths: ["policies/**"] } })).pull?.sensitive).toBeNull();
  });

  it("beyond the bound are listed, with nothing said of their reviews", async () => {
    fake.books.pulls.push(pullRow(1), pullRow(2));
    const reading = await pulls(sources({ max_pulls: 1 }));
    expect(reading.status).toBe("degraded");
    expect(reading.value?.map(({ approvals, checks }) => ({ approvals, checks })))
      .toEqual([{ approvals: 0, checks: "none" }, { approvals: null, checks: null }]);
  });
});

describe("issues", () => {
  it("carry the signals of their labels, assignees and linked pull requests", async () => {
    fake.books.issues.push(
      issueRow(1, { labels: ["status/blocked"] }),
      issueRow(2, { assignees: ["builder"] }),
      issueRow(3, { labels: ["in progress"] }),
      issueRow(4, { labels: ["done"] }),
    );
    fake.books.pulls.push(
      pullRow(10, { body: "Fixes #2 and, elsewhere, closes other/repo#1" }),
      pullRow(11, { draft: true, body: "resolves example/plane#1" }),
    );
    const { value } = await cards(sources());
    expect(
      value?.map(({ id, blocked_by, in_progress, in_review, contradictions }) => ({
        id,
        blocked_by,
        in_progress,
        in_review,
        contradictions,
      })),
    ).toEqual([
      {
        id: "example/plane#1",
        blocked_by: "label status/blocked",
        in_progress: true,
        in_review: false,
        contradictions: [],
      },
      {
        id: "example/plane#2",
        blocked_by: null,
        in_progress: false,
        in_review: true,
        contradictions: [],
      },
      {
        id: "example/plane#3",
        blocked_by: null,
        in_progress: true,
        in_review: false,
        contradictions: ["it is labelled in progress and nobody is assigned"],
      },
      {
        id: "example/plane#4",
        blocked_by: null,
        in_progress: false,
        in_review: false,
        contradictions: ["it is labelled done and still open"],
      },
    ]);
  });

  it("do not say whether they are in review when the pull requests were cut", async () => {
    fake.books.issues.push(issueRow(1));
    for (let number = 10; number < 20; number++) fake.books.pulls.push(pullRow(number));
    fake.page_most = 5;
    const { value } = await cards(sources({ max_pages: 1 }));
    expect(value?.[0].in_review).toBeNull();
  });

  it("show no secret that somebody wrote into a title", async () => {
    fake.books.issues.push(issueRow(1, { title: `use ${"ghp_"}${"a1B2".repeat(9)} for it` }));
    expect((await cards(sources())).value?.[0].title).toBe("use [token] for it");
  });
});
