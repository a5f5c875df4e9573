import type { CardFact } from "../../facts/card.ts";
import type { PullFact } from "../../facts/review.ts";
import type { Part } from "../part.ts";
import { matches } from "../pattern.ts";
import type { Issue, Pull, Repository } from "./repository.ts";

/** What the operator calls by which name: labels and paths, each with * and ** as wild cards. */
export interface Signs {
  sensitive_labels: readonly string[];
  sensitive_paths: readonly string[];
  blocked_labels: readonly string[];
  in_progress_labels: readonly string[];
  in_review_labels: readonly string[];
  done_labels: readonly string[];
  required_approvals: number;
}

export const pullFacts =
  (signs: Signs) => ({ pulls, pulls_cut }: Repository): Part<PullFact[]> => ({
    value: pulls.map((pull) => pullFact(pull, signs)),
    partial: pulls_cut,
  });

function pullFact(pull: Pull, signs: Signs): PullFact {
  const { reviews, mergeable, checks } = pull;
  return {
    repo: pull.repo,
    number: pull.number,
    title: pull.title,
    href: pull.href,
    author: pull.author ?? "a former account",
    created_at: pull.created_at,
    updated_at: pull.updated_at,
    draft: pull.draft,
    head_sha: pull.head_sha,
    labels: pull.labels,
    assignees: pull.assignees,
    approvals: reviews?.approved_by.length ?? null,
    changes_requested: reviews?.changes_requested_by.length ?? null,
    changes_requested_earlier: reviews?.outdated_requests_by.length ?? null,
    required_approvals: signs.required_approvals,
    review_requested_from: pull.review_requested_from,
    mergeable: mergeable === "unknown" ? null : mergeable === "yes",
    checks: checks === "unknown" ? null : checks,
    sensitive: sensitiveOf(pull, signs),
  };
}

function sensitiveOf({ labels, files }: Pull, signs: Signs): string[] | null {
  const { sensitive_labels, sensitive_paths } = signs;
  const byLabel = labels.filter((label) => matches(sensitive_labels, label))
    .map((label) => `label ${label}`);
  if (sensitive_paths.length === 0) return byLabel;
  if (files === null) return byLabel.length > 0 ? byLabel : null;
  const byPath = sensitive_paths.filter((path) => files.some((file) => matches([path], file)))
    .map((path) => `changes ${path}`);
  return [...byLabel, ...byPath];
}

export const issueCards = (signs: Signs) => (repository: Repository): Part<CardFact[]> => ({
  value: repository.issues.map((issue) => issueCard(issue, repository, signs)),
  partial: repository.issues_cut,
});

function issueCard(issue: Issue, { pulls, pulls_cut }: Repository, signs: Signs): CardFact {
  const id = `${issue.repo}#${issue.number}`;
  const linked = pulls.filter(({ closes }) => closes.includes(id));
  const labelled = (names: readonly string[]) =>
    issue.labels.find((label) => matches(names, label)) ?? null;
  const blocked = labelled(signs.blocked_labels);
  const working = labelled(signs.in_progress_labels);
  const reviewing = labelled(signs.in_review_labels);
  const done = labelled(signs.done_labels);
  const drafts = linked.filter(({ draft }) => draft);
  const under_review = linked.length > drafts.length;
  // A pull request that was not read may be the one that closes it.
  const unseen = pulls_cut !== null && linked.length === 0;
  const at = linked.map(({ updated_at }) => updated_at);
  return {
    owner: "issue",
    id,
    title: issue.title,
    href: issue.href,
    repo: issue.repo,
    created_at: issue.created_at,
    last_activity_at: [issue.updated_at, ...at].toSorted().at(-1) ?? null,
    labels: issue.labels,
    assignees: issue.assignees,
    milestone: issue.milestone?.title ?? null,
    closed: false,
    in_progress: working !== null || drafts.length > 0,
    in_review: under_review || reviewing !== null ? true : unseen ? null : false,
    blocked_by: blocked === null ? null : `label ${blocked}`,
    contradictions: [
      ...done === null ? [] : [`it is labelled ${done} and still open`],
      ...working !== null && issue.assignees.length === 0
        ? [`it is labelled ${working} and nobody is assigned`]
        : [],
      ...reviewing !== null && !under_review && !unseen
        ? [`it is labelled ${reviewing} and no open pull request closes it`]
        : [],
      ...linked.length - drafts.length > 1
        ? [`${linked.length - drafts.length} open pull requests say that they close it`]
        : [],
    ],
  };
}
