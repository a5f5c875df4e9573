/** A pull request, as its forge has it. */
export interface PullFact {
  repo: string;
  number: number;
  title: string;
  href: string;
  author: string;
  created_at: string;
  updated_at: string;
  draft: boolean;
  head_sha: string;
  labels: readonly string[];
  assignees: readonly string[];
  /** Only official, fresh, undismissed reviews on the head commit are counted here; null where they could not be read in full. */
  approvals: number | null;
  changes_requested: number | null;
  /** Officially asked for on an earlier commit and not taken back: no verdict on this one, but nothing is ready over it. */
  changes_requested_earlier: number | null;
  required_approvals: number;
  review_requested_from: readonly string[];
  /** Computed by the forge when it gets to it: null means it has not said. */
  mergeable: boolean | null;
  /** The combined status of the head commit; "none" where nothing was reported, null where it could not be read. */
  checks: "success" | "pending" | "failure" | "none" | null;
  /** Paths or labels that the configuration calls sensitive, named; empty where none, null where they could not be read. */
  sensitive: readonly string[] | null;
}

/** A request for approval of this platform. */
export interface RequestFact {
  code: string;
  href: string;
  task_id: string;
  tier: "T0" | "T1" | "T2" | "T3";
  action: string;
  goal: string;
  requester: string;
  requested_at: string;
  expires_at: string;
  digest: string;
  decided: readonly { name: string; role: string; decision: "approve" | "reject"; at: string }[];
  /** Slots of the policy that nobody has filled. */
  missing: readonly string[];
  /** What keeps it from going on once decided: a stop, a flag that is off. */
  blocker: string | null;
}

export const buckets = ["waiting", "blocked", "risky", "stale", "ready"] as const;
export type Bucket = typeof buckets[number];

export interface ReviewVerdict {
  bucket: Bucket;
  /** Judgement needs the operator; routine needs anybody. */
  kind: "judgement" | "routine";
  /** In words: "2 approvals", "changes requested", "no review on this commit". */
  review: string;
  /** In words: "mergeable", "checks are red", "the forge has not said". */
  merge: string;
  why: readonly string[];
}
