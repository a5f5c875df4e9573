import { describe, expect, it } from "vitest";
import type { CardFact } from "../../../command-center/facts/card.ts";
import { laneOf } from "../../../command-center/projection/lane.ts";

const card = (more: Partial<CardFact>): CardFact => ({
  owner: "issue",
  id: "example/plane#1",
  title: "",
  href: "",
  repo: null,
  created_at: "2026-11-21T12:00:00Z",
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

const all = { blocked_by: "a label", in_review: true, in_progress: true, assignees: ["carol"] };

describe.each(["task", "issue"] as const)("a card that is a %s", (owner) => {
  it.each<[string | null, Partial<CardFact>]>([
    ["blocked", all],
    ["in review", { ...all, blocked_by: null }],
    ["in progress", { ...all, blocked_by: null, in_review: false }],
    ["assigned", { assignees: ["carol"] }],
    ["unassigned", {}],
    [null, { ...all, closed: true }],
  ])("lies in %s", (lane, more) => {
    expect(laneOf(card({ ...more, owner }))).toEqual({ lane, ambiguous: [] });
  });

  it("says what contradicts itself instead of choosing in silence", () => {
    const contradictions = ["it is labelled done and still open"];
    expect(laneOf(card({ owner, contradictions }))).toEqual({
      lane: "unassigned",
      ambiguous: contradictions,
    });
  });

  it("says what could not be read, where that would have decided", () => {
    expect(laneOf(card({ owner, assignees: ["carol"], in_review: null, in_progress: null })))
      .toEqual({
        lane: "assigned",
        ambiguous: [
          "whether it is in review could not be read",
          "whether it is in progress could not be read",
        ],
      });
    expect(laneOf(card({ owner, ...all, in_review: null, in_progress: null })).ambiguous)
      .toEqual([]);
  });
});
