// Rows as Gitea's API writes them, with keys that nobody reads.

const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();

const account = (login: string) => ({
  id: login.length,
  login,
  full_name: "",
  email: `${login}@noreply.example.org`,
  avatar_url: "",
  username: login,
});

export interface RowOptions {
  title?: string;
  body?: string;
  labels?: string[];
  assignees?: string[];
  updated_hours_ago?: number;
}

const item = (
  number: number,
  { title = `Number ${number}`, body = "", labels = [], assignees = [], updated_hours_ago = 1 }:
    RowOptions,
) => ({
  id: 1000 + number,
  number,
  title,
  body,
  user: account("writer"),
  labels: labels.map((name, id) => ({ id, name, color: "aabbcc", exclusive: false })),
  milestone: null,
  assignee: assignees.length > 0 ? account(assignees[0]) : null,
  assignees: assignees.length > 0 ? assignees.map(account) : null,
  state: "open",
  comments: 0,
  is_locked: false,
  created_at: ago(200),
  updated_at: ago(updated_hours_ago),
  closed_at: null,
  due_date: null,
  pin_order: 0,
});

export const issueRow = (number: number, options: RowOptions = {}) => ({
  ...item(number, options),
  pull_request: null,
  repository: { id: 7, name: "plane", owner: "example", full_name: "example/plane" },
});

export interface PullOptions extends RowOptions {
  mergeable?: boolean | null;
  draft?: boolean;
  sha?: string;
}

export const pullRow = (number: number, options: PullOptions = {}) => ({
  ...item(number, options),
  draft: options.draft ?? false,
  mergeable: options.mergeable === undefined ? true : options.mergeable,
  merged: false,
  merged_at: null,
  requested_reviewers: null,
  base: { label: "main", ref: "main", sha: "b".repeat(40), repo_id: 7, repo: null },
  head: {
    label: "work",
    ref: "work",
    sha: options.sha ?? shaOf(number),
    repo_id: 7,
    repo: null,
  },
});

export const shaOf = (number: number): string => number.toString(16).padStart(40, "0");

export const reviewRow = (
  id: number,
  login: string | null,
  state: string,
  commit_id: string,
  more: Record<string, unknown> = {},
) => ({
  id,
  user: login === null ? null : account(login),
  team: null,
  state,
  body: "",
  commit_id,
  stale: false,
  official: true,
  dismissed: false,
  comments_count: 0,
  submitted_at: ago(10 - id / 10),
  ...more,
});

export const statusRow = (id: number, status: string, context = `ci/${id}`) => ({
  id,
  status,
  target_url: "",
  description: "",
  context,
  created_at: ago(1),
});
