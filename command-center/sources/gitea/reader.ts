import type { Reader } from "../../truth/reading.ts";
import { type Observation, polled, type Polling } from "../polled.ts";
import { Unanswered } from "../unanswered.ts";
import { type Checks, combinedChecks } from "./checks.ts";
import type { GiteaClient, Round, Times } from "./client.ts";
import type { Pull, Repository } from "./repository.ts";
import { countingReviews, type ReviewFacts } from "./reviews.ts";
import { closesOf, isDraft, issueOf, mergeableOf } from "./rows.ts";
import { combinedStatus, files, issues, pulls, reviews, type WirePull } from "./wire.ts";

export interface RepositoryScope {
  /** owner/name */
  name: string;
  href: string;
  page_size: number;
  /** The reviews and checks of so many pull requests are read; of the others they are unknown. */
  max_pulls: number;
  /** Whether the changed files are asked for: only where some paths are sensitive. */
  with_files: boolean;
}

/** One repository of one server: its open issues, its open pull requests with reviews, checks and files. */
export const giteaRepository = (
  client: GiteaClient,
  scope: RepositoryScope,
  polling: Polling,
): Reader<Repository> =>
  polled(polling, (now, signal) => observeRepository(client, scope, now, signal));

async function observeRepository(
  client: GiteaClient,
  { name, href, max_pulls, page_size, with_files }: RepositoryScope,
  now: Date,
  signal: AbortSignal,
): Promise<Observation<Repository>> {
  await client.identify(now, signal);
  const times: Times = [];
  const round = { now, times, signal };
  const path = `/repos/${name.split("/").map(encodeURIComponent).join("/")}`;
  const [foundIssues, foundPulls] = await Promise.all([
    client.list(issues, `${path}/issues?state=open&type=issues`, "the list of issues", round),
    client.list(pulls, `${path}/pulls?state=open`, "the list of pull requests", round),
  ]);
  const open = foundPulls.rows.filter(({ state, merged }) => state === "open" && merged !== true);
  const reader = { client, path, page_size, with_files, round };
  const details = await Promise.all(
    open.map((pull, index) => index < max_pulls ? detailsOf(reader, pull) : unread),
  );
  const value: Repository = {
    name,
    href,
    issues: foundIssues.rows
      .filter(({ state, pull_request }) => state === "open" && (pull_request ?? null) === null)
      .map((row) => issueOf(name, href, "issues", row)),
    pulls: open.map((row, index): Pull => ({
      ...issueOf(name, href, "pulls", row),
      draft: isDraft(row),
      head_sha: row.head.sha,
      base: row.base.ref,
      mergeable: mergeableOf(row, now),
      closes: closesOf(name, row),
      review_requested_from: (row.requested_reviewers ?? []).map(({ login }) => login),
      reviews: details[index].reviews,
      checks: details[index].checks,
      files: details[index].files,
    })),
    issues_cut: foundIssues.is_whole ? null : "there are more issues than were read",
    pulls_cut: pullsCut(foundPulls.is_whole, details),
  };
  const skew = times.flatMap(({ skew }) => skew ?? []).at(0);
  return { observed_at: oldest(times), value, partial: skew ?? null };
}

function pullsCut(is_whole: boolean, details: readonly Details[]): string | null {
  const reasons = [
    ...is_whole ? [] : ["there are more pull requests than were read"],
    ...details.some(({ missing }) => missing)
      ? ["the reviews, checks or files of some pull requests could not be read in full"]
      : [],
  ];
  return reasons.length === 0 ? null : reasons.join("; ");
}

/** As old as its oldest part; one answer without a time makes the whole one without. */
function oldest(times: Times): string | null {
  const known = times.flatMap(({ said_at }) => said_at ?? []);
  return known.length === times.length ? known.sort()[0] ?? null : null;
}

interface Details {
  reviews: ReviewFacts | null;
  checks: Checks;
  files: string[] | null;
  missing: boolean;
}

const unread: Details = { reviews: null, checks: "unknown", files: null, missing: true };

interface PullReader {
  client: GiteaClient;
  path: string;
  page_size: number;
  with_files: boolean;
  round: Round;
}

async function detailsOf(
  { client, path, page_size, with_files, round }: PullReader,
  { number, head: { sha } }: WirePull,
): Promise<Details> {
  const pull = `${path}/pulls/${number}`;
  const [found, checks, changed] = await Promise.all([
    orNothing(client.list(reviews, `${pull}/reviews`, "the list of reviews", round)),
    orNothing(checksOf(client, path, sha, page_size, round)),
    with_files
      ? orNothing(client.list(files, `${pull}/files`, "the list of files", round))
      : undefined,
  ]);
  return {
    reviews: found?.is_whole ? countingReviews(found.rows, sha) : null,
    checks: checks ?? "unknown",
    files: changed?.is_whole
      ? changed.rows.flatMap((row) => [row.filename, row.previous_filename ?? []].flat())
      : null,
    missing: !found?.is_whole || checks === null || (with_files && !changed?.is_whole),
  };
}

async function checksOf(
  client: GiteaClient,
  path: string,
  sha: string,
  page_size: number,
  round: Round,
): Promise<Checks> {
  if (sha === "") return "unknown";
  const address = `${path}/commits/${encodeURIComponent(sha)}/status?limit=${page_size}`;
  const { value, more } = await client.one(combinedStatus, address, "the status", round);
  const read = value?.statuses?.length ?? 0;
  const left = more(read);
  return combinedChecks(value, sha, left === "none" || (left === "unsaid" && read < page_size));
}

/** One pull request that cannot be read is unknown; it does not blind the repository. A server that asks to be left alone does. */
async function orNothing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Unanswered && error.retry_after_s === null) return null;
    throw error;
  }
}
