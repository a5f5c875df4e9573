/** What a lane is computed from, for a task of the platform and for an issue of a forge alike. */
export interface CardFact {
  /** Whose it is: "task" is the platform's, "issue" a forge's. */
  owner: "task" | "issue";
  id: string;
  title: string;
  href: string;
  repo: string | null;
  created_at: string;
  last_activity_at: string | null;
  labels: readonly string[];
  assignees: readonly string[];
  milestone: string | null;
  /** The explicit signals; null where the source cannot say. */
  closed: boolean;
  in_progress: boolean | null;
  in_review: boolean | null;
  /** Why it cannot go on, in the source's words. */
  blocked_by: string | null;
  /** Signals of the source that cannot both be true, each in a sentence. */
  contradictions: readonly string[];
  /** How many others with exactly these signals the reader counted and did not list. */
  more?: number;
}

export const lanes = ["unassigned", "assigned", "in progress", "blocked", "in review"] as const;
export type Lane = typeof lanes[number];

export interface LaneVerdict {
  /** Null when closed: the board shows open work. */
  lane: Lane | null;
  ambiguous: readonly string[];
}
