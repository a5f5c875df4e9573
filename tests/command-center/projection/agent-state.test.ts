import { describe, expect, it } from "vitest";
import type { AgentFact, Claim } from "../../../command-center/facts/agent.ts";
import type { CardFact } from "../../../command-center/facts/card.ts";
import { agentState } from "../../../command-center/projection/agent-state.ts";
import { withWork } from "../../../command-center/projection/claim.ts";
import { type Reading, seen } from "../../../command-center/truth/reading.ts";

const now = new Date("2026-11-21T12:00:00Z");
const ago = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString();
const minutes = 60;

const claim = (more: Partial<Claim> = {}): Claim => ({
  id: "example/plane#1",
  href: null,
  claimed_at: ago(10 * minutes),
  last_activity_at: null,
  assigned_to: null,
  closed: null,
  ...more,
});

const agent = (more: Partial<AgentFact> = {}): AgentFact => ({
  name: "builder",
  kind: "agent",
  href: null,
  process: "present",
  says: "idle",
  beat_at: ago(10),
  interval_s: 60,
  last_success_at: null,
  claim: null,
  dependency: null,
  failure: null,
  ...more,
});

const busy = (more: Partial<Claim>): AgentFact => agent({ says: "busy", claim: claim(more) });

describe("an agent's state and picture", () => {
  it.each<[string, Partial<AgentFact>, string, string]>([
    ["its process is gone", { process: "missing" }, "down", "process missing"],
    ["a pid and no heartbeat", { beat_at: null }, "degraded", "present but unhealthy"],
    ["neither was looked at", { process: null, beat_at: null }, "unknown", "not seen"],
    ["it beats in time", { beat_at: ago(180) }, "idle", "healthy and idle"],
    ["it missed three beats", { beat_at: ago(181) }, "degraded", "present but unhealthy"],
    ["a silent heartbeat alone", { process: null, beat_at: ago(181) }, "down", "not seen"],
    ["a beat of the future", { beat_at: ago(-60) }, "unknown", "not seen"],
    ["it says it is unwell", { says: "degraded" }, "degraded", "present but unhealthy"],
    ["it is limited", { says: "rate_limited" }, "rate_limited", "present but unhealthy"],
    ["it works", { says: "busy" }, "busy", "healthy and working"],
    ["idle with work in hand", { claim: claim() }, "busy", "healthy and working"],
    ["alive, without a word", { says: null }, "up", "healthy and idle"],
  ])("%s", (_, more, state, picture) => {
    expect(agentState(agent(more), now)).toMatchObject({ state, picture });
  });

  it.each([
    [29 * minutes, "busy", "healthy and working", null],
    [
      31 * minutes,
      "degraded",
      "stale on one item",
      "nothing has happened to example/plane#1 for 31 min",
    ],
  ])("with a claim that has been still for %i s", (seconds, state, picture, stale_claim) => {
    expect(agentState(busy({ claimed_at: ago(seconds) }), now))
      .toMatchObject({ state, picture, stale_claim });
  });

  it("counts the last activity, not when the claim was made", () => {
    const verdict = agentState(
      busy({ claimed_at: ago(300 * minutes), last_activity_at: ago(minutes) }),
      now,
    );
    expect(verdict).toMatchObject({ state: "busy", stale_claim: null });
  });

  it.each<[Partial<Claim>, string | null]>([
    [{ assigned_to: "builder" }, null],
    [{ assigned_to: null }, null],
    [{ assigned_to: "carol" }, "it holds example/plane#1, which is assigned to carol"],
    [{ assigned_to: "builder", closed: true }, "it holds example/plane#1, which is closed"],
  ])("works the wrong thing by %j: %s", (more, wrong_thing) => {
    const verdict = agentState(busy(more), now);
    expect(verdict.wrong_thing).toBe(wrong_thing);
    expect(verdict.state).toBe(wrong_thing === null ? "busy" : "degraded");
  });

  it("is down before anything else is said of it", () => {
    const verdict = agentState(
      { ...busy({ claimed_at: ago(99 * minutes) }), process: "missing" },
      now,
    );
    expect(verdict).toMatchObject({ state: "down", picture: "process missing" });
  });
});

describe("what it holds", () => {
  const card = (more: Partial<CardFact>): CardFact => ({
    owner: "issue",
    id: "example/plane#1",
    title: "",
    href: "http://127.0.0.1/1",
    repo: "example/plane",
    created_at: ago(9999),
    last_activity_at: null,
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

  const board = (
    value: CardFact[],
    partial: string | null = null,
    at = ago(1),
  ): Reading<readonly CardFact[]> =>
    seen({ source: "gitea:example/plane", now, observed_at: at, max_age_s: 60, value, partial });

  it("is another's when the board says so", () => {
    expect(withWork(busy({}), [board([card({ assignees: ["carol", "dan"] })])]).claim)
      .toMatchObject({ assigned_to: "carol, dan", closed: false, href: "http://127.0.0.1/1" });
  });

  it("is its own under the login that it works as", () => {
    const fact = { ...busy({}), works_as: "builder-bot" };
    const { claim } = withWork(fact, [board([card({ assignees: ["carol", "builder-bot"] })])]);
    expect(claim?.assigned_to).toBe("builder-bot");
    expect(agentState({ ...fact, claim }, now).wrong_thing).toBeNull();
  });

  it("is nobody's when nobody is assigned", () => {
    expect(withWork(busy({}), [board([card({})])]).claim?.assigned_to).toBe("nobody");
  });

  it("is closed when a live board of its repository lacks it", () => {
    expect(withWork(busy({}), [board([])]).claim?.closed).toBe(true);
  });

  it.each([
    ["cut", board([], "there are more issues than were read")],
    ["stale", board([], null, ago(600))],
    ["another repository's", { ...board([]), source: "gitea:example/other" }],
  ])("may still be open when the board is %s", (_, reading) => {
    expect(withWork(busy({}), [reading]).claim?.closed).toBeNull();
  });
});
