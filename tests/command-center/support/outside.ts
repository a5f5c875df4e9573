import type { AgentFact } from "../../../command-center/facts/agent.ts";
import type { CardFact } from "../../../command-center/facts/card.ts";
import type { JobFact } from "../../../command-center/facts/job.ts";
import type { PullFact } from "../../../command-center/facts/review.ts";
import type { OutsideSources } from "../../../command-center/server/look.ts";
import { blind, type Reader, type Reading, seen } from "../../../command-center/truth/reading.ts";

/** A reader that says what it is given, as of now. */
export const saying = <T>(
  source: string,
  value: T,
  more: { observed_at?: (now: Date) => unknown; partial?: string } = {},
): Reader<T> => ({
  source,
  read: (now): Promise<Reading<T>> =>
    Promise.resolve(seen({
      source,
      now,
      observed_at: more.observed_at?.(now) ?? now,
      max_age_s: 60,
      value,
      partial: more.partial ?? null,
    })),
});

export const blindly = (source: string, reason: string): Reader<never> => ({
  source,
  read: () => Promise.resolve(blind({ source, max_age_s: 60, reason })),
});

export const nothingOutside: OutsideSources = {
  agents: [blindly("agents", "it is not configured"), blindly("endpoints", "it is not configured")],
  pulls: [blindly("gitea", "it is not configured")],
  jobs: [blindly("hermes", "it is not configured"), blindly("huey", "it is not configured")],
  cards: [blindly("gitea", "it is not configured")],
};

/** Everybody answers, and there is nothing. */
export const emptyOutside: OutsideSources = {
  agents: [saying("agents", [])],
  pulls: [saying("gitea:example/plane", [])],
  jobs: [saying("hermes", [])],
  cards: [saying("gitea:example/plane", [])],
};

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

export const agent = (name: string, more: Partial<AgentFact> = {}): AgentFact => ({
  name,
  kind: "agent",
  href: null,
  process: "present",
  says: "idle",
  beat_at: ago(5),
  interval_s: 60,
  last_success_at: ago(120),
  claim: null,
  dependency: "ollama",
  failure: null,
  ...more,
});

export const pull = (number: number, more: Partial<PullFact> = {}): PullFact => ({
  repo: "example/plane",
  number,
  title: `Change number ${number}`,
  href: `https://git.example.org/example/plane/pulls/${number}`,
  author: "ada",
  created_at: ago(7200),
  updated_at: ago(3600),
  draft: false,
  head_sha: "a".repeat(40),
  labels: [],
  assignees: [],
  approvals: 1,
  changes_requested: 0,
  changes_requested_earlier: 0,
  required_approvals: 1,
  review_requested_from: [],
  mergeable: true,
  checks: "success",
  sensitive: [],
  ...more,
});

export const issue = (number: number, more: Partial<CardFact> = {}): CardFact => ({
  owner: "issue",
  id: `example/plane#${number}`,
  title: `Issue number ${number}`,
  href: `https://git.example.org/example/plane/issues/${number}`,
  repo: "example/plane",
  created_at: ago(86_400),
  last_activity_at: ago(3600),
  labels: [],
  assignees: [],
  milestone: null,
  closed: false,
  in_progress: false,
  in_review: false,
  blocked_by: null,
  contradictions: [],
  ...more,
});

export const job = (name: string, more: Partial<JobFact> = {}): JobFact => ({
  id: name,
  name,
  href: null,
  schedule: "every 60 s",
  every_s: 60,
  desired: "enabled",
  runner: "present",
  last_run_at: ago(20),
  last_result: "ok",
  last_success_at: ago(20),
  next_run_at: ago(-40),
  paused_reason: null,
  paused_by: null,
  failure: null,
  ...more,
});

/** Agents, pull requests, jobs and issues of every kind. */
export const fullOutside = (): OutsideSources => ({
  agents: [
    saying("agent:desk", [
      agent("builder"),
      agent("reviewer", {
        says: "busy",
        claim: {
          id: "example/plane#7",
          href: null,
          claimed_at: ago(600),
          last_activity_at: ago(30),
          assigned_to: null,
          closed: null,
        },
      }),
      agent("scribe", {
        says: "busy",
        claim: {
          id: "example/plane#9",
          href: null,
          claimed_at: ago(4000),
          last_activity_at: ago(3600),
          assigned_to: null,
          closed: null,
        },
      }),
      agent("courier", { process: "missing", says: null, beat_at: ago(9000) }),
      agent("watcher", { says: null, beat_at: ago(9000) }),
      agent("buyer", { says: "rate_limited", failure: "429 until 18:00" }),
    ]),
    saying("endpoint:ollama", [agent("ollama", { kind: "model", process: null, says: null })]),
    blindly("endpoint:wiki", "no answer within 2 s"),
  ],
  pulls: [saying("gitea:example/plane", [
    pull(12),
    pull(13, { sensitive: ["policies/policy.yaml"], title: "Widen the limit of T2" }),
    pull(14, { changes_requested: 1, mergeable: false }),
    pull(15, { updated_at: ago(400_000), created_at: ago(900_000), approvals: 0 }),
    pull(16, { approvals: 0, checks: "pending", review_requested_from: ["ben"] }),
  ])],
  jobs: [
    saying("hermes:default", [
      job("weekly-review", {
        schedule: "0 9 * * 1",
        every_s: 604_800,
        last_run_at: ago(300_000),
        next_run_at: ago(-300_000),
      }),
      job("drink-water", { desired: "paused", paused_reason: null, last_run_at: ago(200_000) }),
      job("nightly-backup", { runner: "absent", every_s: 86_400, last_run_at: ago(400_000) }),
    ]),
    saying("huey:jobs", [job("jobs", { last_run_at: null, last_result: null })], {
      observed_at: (now) => new Date(now.getTime() - 600_000),
    }),
  ],
  cards: [saying("gitea:example/plane", [
    issue(7, { assignees: ["reviewer"], in_progress: true, title: "Mend the retriever" }),
    issue(8, { title: "Name the new limits" }),
    issue(9, { assignees: ["scribe"], blocked_by: "label blocked" }),
    issue(10, { assignees: ["ada"], in_review: true }),
    issue(11, {
      assignees: ["ben"],
      contradictions: ["it is labelled done, and it is open"],
    }),
  ])],
});
