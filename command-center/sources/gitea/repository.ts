import type { Checks } from "./checks.ts";
import type { ReviewFacts } from "./reviews.ts";

/** One repository as it was when it was read: what is open, and nothing that anybody curated. */
export interface Repository {
  /** owner/name */
  name: string;
  href: string;
  issues: Issue[];
  pulls: Pull[];
  /** Every open issue is in the list; where it was cut, an issue that is missing may still be open. */
  issues_are_whole: boolean;
  pulls_are_whole: boolean;
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
  created_at: string | null;
  updated_at: string | null;
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
  /** Issues that it says it closes, as owner/name#number. */
  closes: string[];
}

export type Mergeable = "yes" | "no" | "unknown";
