import type { PullFact, RequestFact, ReviewVerdict } from "../facts/review.ts";
import { spoken } from "../truth/judge.ts";
import { ageOf } from "./age.ts";

/** Nothing has happened to it for longer than this. */
export const stale_s = 72 * 3600;

/**
 * One bucket each: blocked before risky before stale before ready, and what is none of them waits. Ready is said only where
 * every sign was read and is good.
 */
export function pullBucket(fact: PullFact, now: Date): ReviewVerdict {
  const blockers = blockersOf(fact);
  const open = openQuestions(fact);
  const idle_s = ageOf(fact.updated_at, now) ?? 0;
  const sensitive = fact.sensitive ?? ["what it changes could not be read"];
  const stale = idle_s > stale_s ? [`nothing has happened for ${spoken(idle_s)}`] : [];
  const bucket = blockers.length > 0
    ? "blocked"
    : sensitive.length > 0
    ? "risky"
    : stale.length > 0
    ? "stale"
    : open.length === 0
    ? "ready"
    : "waiting";
  return {
    bucket,
    kind: blockers.length > 0 || sensitive.length > 0 ? "judgement" : "routine",
    review: reviewWords(fact),
    merge: mergeWords(fact),
    why: [...blockers, ...sensitive, ...stale, ...open],
  };
}

const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? "" : "s"}`;

function blockersOf({ draft, changes_requested, mergeable, checks }: PullFact): string[] {
  return [
    ...(changes_requested ?? 0) > 0 ? ["changes are requested"] : [],
    ...checks === "failure" ? ["checks are red"] : [],
    ...!draft && mergeable === false ? ["it cannot be merged as it is"] : [],
  ];
}

/** Everything that must be answered before it is ready. */
function openQuestions(fact: PullFact): string[] {
  const { draft, approvals, required_approvals, changes_requested_earlier, mergeable, checks } =
    fact;
  return [
    ...draft ? ["it is a draft"] : [],
    ...approvals === null
      ? ["its reviews could not be read in full"]
      : approvals < required_approvals
      ? [`${approvals} of ${counted(required_approvals, "approval")} on this commit`]
      : [],
    ...(changes_requested_earlier ?? 0) > 0
      ? ["changes were requested on an earlier commit and not taken back"]
      : [],
    ...!draft && mergeable === null ? ["the forge has not said whether it can be merged"] : [],
    ...checks === null
      ? ["its checks could not be read"]
      : checks === "none"
      ? ["no check has reported on this commit"]
      : checks === "pending"
      ? ["checks are running"]
      : [],
  ];
}

function reviewWords(fact: PullFact): string {
  const { approvals, changes_requested, changes_requested_earlier, review_requested_from } = fact;
  if (approvals === null) return "reviews could not be read";
  if ((changes_requested ?? 0) > 0) return "changes requested";
  if (approvals > 0) return counted(approvals, "approval");
  if ((changes_requested_earlier ?? 0) > 0) return "changes requested on an earlier commit";
  return review_requested_from.length > 0
    ? `review requested from ${review_requested_from.join(", ")}`
    : "no review on this commit";
}

function mergeWords({ draft, mergeable, checks }: PullFact): string {
  if (draft) return "draft";
  if (mergeable === false) return "not mergeable";
  if (checks === "failure") return "checks are red";
  if (mergeable === null) return "the forge has not said";
  if (checks === "pending") return "checks are running";
  if (checks === null) return "checks could not be read";
  return checks === "none" ? "mergeable, no checks" : "mergeable";
}

/** A T2 or T3 is never routine: what it does cannot be taken back lightly. */
export function requestBucket(fact: RequestFact, now: Date): ReviewVerdict {
  const { tier, blocker, missing, decided, requested_at, expires_at } = fact;
  const rejected = decided.find(({ decision }) => decision === "reject");
  const left_s = -(ageOf(expires_at, now) ?? 0);
  const waited_s = ageOf(requested_at, now) ?? 0;
  const grave = tier === "T2" || tier === "T3";
  const blockers = [
    ...rejected === undefined ? [] : [`${rejected.name} said no`],
    ...blocker === null ? [] : [blocker],
    ...left_s <= 0 ? ["its time has run out"] : [],
  ];
  const stale = waited_s > stale_s ? [`it has waited for ${spoken(waited_s)}`] : [];
  const yes = decided.filter(({ decision }) => decision === "approve").length;
  return {
    bucket: blockers.length > 0
      ? "blocked"
      : missing.length === 0
      ? "ready"
      : stale.length > 0
      ? "stale"
      : tier === "T3"
      ? "risky"
      : "waiting",
    kind: grave || blockers.length > 0 ? "judgement" : "routine",
    review: yes === 0 ? "nobody has decided" : `${yes} said yes`,
    merge: missing.length === 0 ? "every slot is filled" : `missing: ${missing.join(", ")}`,
    why: [...blockers, ...stale, ...left_s > 0 ? [`expires in ${spoken(left_s)}`] : []],
  };
}
