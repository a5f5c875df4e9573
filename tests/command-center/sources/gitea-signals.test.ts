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
const word = <T>({ status, reason }: Reading<T>) => ({ status, reason });

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

  it("have no count of reviews where the list of them was cut", async () => {
    fake.books.pulls.push(pullRow(1));
    fake.books.reviews[1] = Array.from(
      { length: 7 },
      (_, id) => reviewRow(id, `reviewer-${id}`, "APPROVED", shaOf(1)),
    );
    fake.page_most = 5;
    const { status, pull } = await only({ max_pages: 1 });
    expect([status, pull?.approvals]).toEqual(["degraded", null]);
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
