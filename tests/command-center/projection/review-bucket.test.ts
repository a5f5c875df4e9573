import { describe, expect, it } from "vitest";
import type { PullFact, RequestFact } from "../../../command-center/facts/review.ts";
import { pullBucket, requestBucket } from "../../../command-center/projection/review-bucket.ts";

const now = new Date("2026-11-21T12:00:00Z");
const hours = (count: number): string => new Date(now.getTime() - count * 3_600_000).toISOString();

const pull = (more: Partial<PullFact> = {}): PullFact => ({
  repo: "example/plane",
  number: 1,
  title: "",
  href: "",
  author: "writer",
  created_at: hours(90),
  updated_at: hours(1),
  draft: false,
  head_sha: "a",
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

describe("a pull request is", () => {
  it.each<[string, string, Partial<PullFact>]>([
    ["ready", "everything was read and is good", {}],
    ["waiting", "an approval is missing", { approvals: 0 }],
    ["waiting", "one of two approvals is there", { required_approvals: 2 }],
    ["waiting", "its reviews could not be read", { approvals: null, changes_requested: null }],
    ["waiting", "an older no is not taken back", { changes_requested_earlier: 1 }],
    ["waiting", "the forge has not said whether it merges", { mergeable: null }],
    ["waiting", "no check has reported", { checks: "none" }],
    ["waiting", "its checks could not be read", { checks: null }],
    ["waiting", "its checks run", { checks: "pending" }],
    ["waiting", "it is a draft, which never merges", { draft: true, mergeable: false }],
    ["blocked", "changes are requested", { changes_requested: 1 }],
    ["blocked", "it conflicts", { mergeable: false }],
    ["blocked", "its checks are red", { checks: "failure" }],
    ["risky", "it touches something sensitive", { sensitive: ["changes policies/**"] }],
    ["risky", "what it touches could not be read", { sensitive: null }],
    ["waiting", "it rests for 71 hours", { approvals: 0, updated_at: hours(71) }],
    ["stale", "it rests for 73 hours", { approvals: 0, updated_at: hours(73) }],
    ["blocked", "it is red and sensitive", { checks: "failure", sensitive: ["label security"] }],
  ])("%s: %s", (bucket, _, more) => {
    expect(pullBucket(pull(more), now).bucket).toBe(bucket);
  });

  it.each<[string, Partial<PullFact>]>([
    ["routine", {}],
    ["routine", { approvals: 0 }],
    ["judgement", { sensitive: ["label security"] }],
    ["judgement", { sensitive: null }],
    ["judgement", { changes_requested: 1 }],
  ])("a matter of %s with %j", (kind, more) => {
    expect(pullBucket(pull(more), now).kind).toBe(kind);
  });

  it("says in words what it waits for", () => {
    const verdict = pullBucket(pull({ approvals: 0, checks: "pending", mergeable: null }), now);
    expect(verdict).toMatchObject({
      review: "no review on this commit",
      merge: "the forge has not said",
      why: [
        "0 of 1 approval on this commit",
        "the forge has not said whether it can be merged",
        "checks are running",
      ],
    });
  });
});

const request = (more: Partial<RequestFact> = {}): RequestFact => ({
  code: "T2-20261121-0001",
  href: "",
  task_id: "T-2026-11-21-0001",
  tier: "T2",
  action: "PUBLISH_IDEA",
  goal: "",
  requester: "planner",
  requested_at: hours(1),
  expires_at: hours(-1),
  digest: "d",
  decided: [],
  missing: ["owner"],
  blocker: null,
  ...more,
});

const said = (decision: "approve" | "reject") => ({
  name: "carol",
  role: "owner",
  decision,
  at: hours(0),
});

describe("a request is", () => {
  it.each<[string, string, Partial<RequestFact>]>([
    ["waiting", "a slot is open", {}],
    ["risky", "it is T3 and a slot is open", { tier: "T3" }],
    ["ready", "every slot is filled", { missing: [], decided: [said("approve")] }],
    ["blocked", "somebody said no", { decided: [said("reject")] }],
    ["blocked", "a stop holds it", { missing: [], blocker: "the line is stopped" }],
    ["blocked", "its time has run out", { expires_at: hours(0) }],
    ["stale", "it waits for longer than three days", { requested_at: hours(73) }],
  ])("%s: %s", (bucket, _, more) => {
    expect(requestBucket(request(more), now).bucket).toBe(bucket);
  });

  it("a matter of judgement from T2 on", () => {
    expect(requestBucket(request(), now).kind).toBe("judgement");
    expect(requestBucket(request({ tier: "T1" }), now).kind).toBe("routine");
  });

  it("names who is missing", () => {
    const verdict = requestBucket(request({ missing: ["owner", "reviewer"] }), now);
    expect([verdict.review, verdict.merge])
      .toEqual(["nobody has decided", "missing: owner, reviewer"]);
  });
});
