import { describe, expect, it } from "vitest";
import type { AgentFact } from "../../../command-center/facts/agent.ts";
import type { JobFact } from "../../../command-center/facts/job.ts";
import { blind, type Reading, seen } from "../../../command-center/truth/reading.ts";
import { agentView } from "../../../command-center/views/agents.ts";
import { askedOf } from "../../../command-center/views/asked.ts";
import { boardView } from "../../../command-center/views/board.ts";
import { briefOf, type FourViews } from "../../../command-center/views/brief.ts";
import { jobView } from "../../../command-center/views/jobs.ts";
import { reviewView } from "../../../command-center/views/reviews.ts";
import { agent, issue, job, pull } from "../support/outside.ts";

const now = new Date();
const asked = askedOf(new URL("http://127.0.0.1/command"));
const live = <T>(source: string, value: T): Reading<T> =>
  seen({ source, now, observed_at: now, max_age_s: 60, value });
const gone = (source: string) => blind({ source, max_age_s: 60, reason: "it does not answer" });

function viewsOf(
  { agents = live<AgentFact[]>("agents", []), jobs = live<JobFact[]>("hermes", []), ...more }: {
    agents?: Reading<AgentFact[]>;
    jobs?: Reading<JobFact[]>;
    pulls?: Reading<ReturnType<typeof pull>[]>;
    cards?: Reading<ReturnType<typeof issue>[]>;
  } = {},
): FourViews {
  const cards = more.cards ?? live("gitea", [] as ReturnType<typeof issue>[]);
  const pulls = more.pulls ?? live("gitea", [] as ReturnType<typeof pull>[]);
  return {
    agents: agentView([agents], [cards], live("postgres", []), live("postgres", []), asked, now),
    reviews: reviewView([pulls], [live("postgres", [])], asked, now),
    jobs: jobView([jobs], asked, now),
    board: boardView([cards], asked, now),
  };
}

describe("the brief", () => {
  it("is computed from the four views alone: the same views give the same brief", () => {
    const views = viewsOf({ agents: live("agents", [agent("a", { process: "missing" })]) });
    expect(briefOf(views)).toEqual(briefOf(views));
    expect(briefOf.length).toBe(1);
  });

  it("shows its five elements, and nothing wrong where everybody says so", () => {
    const { tiles, items, blind, overall } = briefOf(viewsOf());
    expect(tiles.map(({ name }) => name)).toEqual([
      "Overall health",
      "Review pressure",
      "Queue pressure",
      "Cron failures and pauses",
      "Agents and services",
    ]);
    expect([items, blind]).toEqual([[], []]);
    expect(overall).toMatchObject({ level: "good", value: { value: "nothing is wrong" } });
  });

  it("is not green over a source that nobody hears, and names it", () => {
    for (
      const views of [
        viewsOf({ agents: gone("agents") }),
        viewsOf({ jobs: gone("hermes") }),
        viewsOf({ pulls: gone("gitea") }),
        viewsOf({ cards: gone("gitea") }),
      ]
    ) {
      const { overall, blind, tiles } = briefOf(views);
      expect(overall.level).toBe("unknown");
      expect(blind).toHaveLength(1);
      expect(tiles.filter(({ level }) => level === "unknown").length).toBeGreaterThanOrEqual(2);
    }
  });

  it("puts red before degraded before unknown, and leads to the exact object of each", () => {
    const { items } = briefOf(viewsOf({
      agents: live("agents", [
        agent("well"),
        agent("silent", { process: null, beat_at: null }),
        agent("limited", { says: "rate_limited" }),
        agent("gone", { process: "missing" }),
      ]),
      jobs: live("hermes", [job("fine"), job("orphan", { runner: "absent" })]),
      pulls: live("gitea", [pull(1), pull(2, { changes_requested: 1 })]),
      cards: live("gitea", [issue(3), issue(4, { blocked_by: "label blocked" })]),
    }));
    expect(items.map(({ level }) => level)).toEqual([
      "red",
      "red",
      "red",
      "amber",
      "amber",
      "unknown",
    ]);
    for (const { what } of items) {
      expect(what.href, what.value ?? "").toMatch(/^(\/command\/|https:\/\/git\.example\.org\/)/);
      expect(what.object).not.toBeNull();
    }
    expect(items[0].what).toMatchObject({
      value: "gone",
      href: "/command/agents#agents-gone",
    });
  });

  it("says what is paused and what fails among the jobs, and how much waits", () => {
    const { tiles } = briefOf(viewsOf({
      jobs: live("hermes", [
        job("fine"),
        job("stopped", { desired: "paused", paused_reason: "holiday" }),
        job("bad", { last_result: "error", failure: "no space" }),
      ]),
      cards: live("gitea", [issue(3), issue(4, { assignees: ["ada"], more: 7 })]),
    }));
    expect(tiles.map(({ value }) => value.value)).toEqual([
      "something is red",
      "requests 0, pull requests 0, of these need judgement 0",
      "unassigned 1, assigned 8, in progress 0, blocked 0",
      "want a look 2 of 3, of these paused 1",
      "down, degraded, stale or not seen 0 of 0",
    ]);
  });
});
