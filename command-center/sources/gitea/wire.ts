import { z } from "zod";
import { momentOf } from "../../truth/judge.ts";

// What Gitea's REST sends, as far as it is read; other keys pass. Bounds keep one odd row from filling a page.

const instant = z.string().max(64).transform((text, context) => {
  const at = momentOf(text);
  if (at !== null) return at.toISOString();
  context.addIssue({ code: "custom", message: "no time" });
  return z.NEVER;
});
const user = z.object({ login: z.string().max(255) });
const label = z.object({ name: z.string().max(255) });
const milestone = z.object({ title: z.string().max(255), due_on: instant.nullish() });

const item = z.object({
  number: z.number().int().positive(),
  title: z.string().max(1024),
  body: z.string().nullish(),
  user: user.nullish(),
  labels: z.array(label).nullish(),
  assignee: user.nullish(),
  assignees: z.array(user).nullish(),
  milestone: milestone.nullish(),
  state: z.enum(["open", "closed"]),
  html_url: z.string().max(2048).nullish(),
  created_at: instant,
  updated_at: instant,
});

export const identity = z.object({ login: z.string().min(1).max(255) });

export const issues = z.array(item.extend({
  // Older servers list pull requests among the issues, whatever was asked for.
  pull_request: z.unknown().optional(),
}));

export const pulls = z.array(item.extend({
  draft: z.boolean().nullish(),
  mergeable: z.boolean().nullish(),
  merged: z.boolean().nullish(),
  requested_reviewers: z.array(user).nullish(),
  head: z.object({ sha: z.string().max(64) }),
  base: z.object({ ref: z.string().max(255) }),
}));

export const reviews = z.array(z.object({
  id: z.number().int(),
  user: user.nullish(),
  state: z.string().max(64),
  official: z.boolean().nullish(),
  stale: z.boolean().nullish(),
  dismissed: z.boolean().nullish(),
  commit_id: z.string().max(64).nullish(),
  submitted_at: instant.nullish(),
}));

/** The whole's word is `state`, that of each part is `status`. A commit without any part answers with no body at all, or with none. */
export const combinedStatus = z.object({
  state: z.string().max(32).nullish(),
  sha: z.string().max(64).nullish(),
  total_count: z.number().int().nonnegative().nullish(),
  statuses: z.array(z.object({
    status: z.string().max(32),
    context: z.string().max(255).nullish(),
  })).nullish(),
});

export const files = z.array(z.object({
  filename: z.string().max(4096),
  previous_filename: z.string().max(4096).nullish(),
}));

export type Item = z.infer<typeof item>;
export type WireIssue = z.infer<typeof issues>[number];
export type WirePull = z.infer<typeof pulls>[number];
export type WireReview = z.infer<typeof reviews>[number];
export type WireStatus = z.infer<typeof combinedStatus>;
