import type { Checks } from "./checks.ts";
import type { ReviewFacts } from "./reviews.ts";

/** One repository as it was when it was read: what is open, and nothing that anybody curated. */
export interface Repository {
  /** owner/name */
  name: string;
  href: string;
  issues: Issue[];
  pulls: Pull[];
  /** Why the lists are not the whole truth, where they are not: an issue that a cut list lacks may still be open. */
  issues_cut: string | null;
  pulls_cut: string | null;
}

export interface Issue {
  repo: string;
  number: number;
  title: string;
  author: string | null;
  href: string;
  labels: string[];
  assignees: string[];
  milestone: { title: string; due_at: string | null } | null;
  created_at: string;
  updated_at: string;
}

export interface Pull extends Issue {
  draft: boolean;
  head_sha: string;
  base: string;
  /** Computed by the server after a push: what is not there yet is unknown. */
  mergeable: Mergeable;
  /** Null where they could not be read in full. */
  reviews: ReviewFacts | null;
  checks: Checks;
  /** What it changes; null where that was not asked for or could not be read in full. */
  files: string[] | null;
  review_requested_from: string[];
  /** Issues that it says it closes, as owner/name#number. */
  closes: string[];
}

export type Mergeable = "yes" | "no" | "unknown";
