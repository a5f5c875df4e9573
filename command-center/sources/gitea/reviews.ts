import type { WireReview } from "./wire.ts";

export interface ReviewFacts {
  /** Who approves the commit at the head, officially, and has not taken it back. */
  approved_by: string[];
  changes_requested_by: string[];
  /** Said officially of an earlier commit: nothing that lets a merge through, but nothing to forget either. */
  outdated_approvals_by: string[];
  outdated_requests_by: string[];
  /** Whoever was asked and has not answered; a team has no name here. */
  asked: number;
}

/** Whom it was said by; a person who is gone is not the same as another who is gone. */
const reviewer = ({ user, id }: WireReview): string =>
  user?.login ?? `a former account (review ${id})`;

/**
 * The reviews that count: official, not stale, not dismissed, of the commit at the head. Of each person the last verdict
 * stands; a comment is no verdict.
 */
export function countingReviews(reviews: readonly WireReview[], head_sha: string): ReviewFacts {
  const verdicts = reviews
    .filter(({ state, official, dismissed }) =>
      (state === "APPROVED" || state === "REQUEST_CHANGES") && official === true &&
      dismissed === false
    )
    .toSorted((one, other) => said(one) - said(other) || one.id - other.id);
  const last = new Map(verdicts.map((review) => [reviewer(review), review]));
  const by = (state: string, counts: boolean): string[] =>
    [...last].filter(([, review]) =>
      review.state === state && isOfHead(review, head_sha) === counts
    ).map(([name]) => name).sort();
  return {
    approved_by: by("APPROVED", true),
    changes_requested_by: by("REQUEST_CHANGES", true),
    outdated_approvals_by: by("APPROVED", false),
    outdated_requests_by: by("REQUEST_CHANGES", false),
    asked:
      reviews.filter(({ state, dismissed }) => state === "REQUEST_REVIEW" && dismissed !== true)
        .length,
  };
}

// What is not said to be fresh is taken for stale: a field that is missing lets nothing through.
const isOfHead = ({ stale, commit_id }: WireReview, head_sha: string): boolean =>
  stale === false && head_sha !== "" && commit_id === head_sha;

const said = ({ submitted_at }: WireReview): number => {
  const at = Date.parse(submitted_at ?? "");
  return Number.isNaN(at) ? 0 : at;
};
