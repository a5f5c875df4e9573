import type { CardFact, Lane, LaneVerdict } from "../facts/card.ts";

/**
 * Blocked before in review before in progress before assigned before unassigned, for a task and an issue alike. Where the
 * signals contradict each other, or one could not be read that would have decided, the card says so.
 */
export function laneOf(fact: CardFact): LaneVerdict {
  if (fact.closed) return { lane: null, ambiguous: fact.contradictions };
  const lane = firstOf(fact);
  return { lane, ambiguous: [...fact.contradictions, ...unread(fact, lane)] };
}

function firstOf({ blocked_by, in_review, in_progress, assignees }: CardFact): Lane {
  if (blocked_by !== null) return "blocked";
  if (in_review) return "in review";
  if (in_progress) return "in progress";
  return assignees.length > 0 ? "assigned" : "unassigned";
}

const above: Record<Lane, readonly ("in_review" | "in_progress")[]> = {
  blocked: [],
  "in review": [],
  "in progress": ["in_review"],
  assigned: ["in_review", "in_progress"],
  unassigned: ["in_review", "in_progress"],
};

const unread = (fact: CardFact, lane: Lane): string[] =>
  above[lane].filter((signal) => fact[signal] === null)
    .map((signal) => `whether it is ${signal.replace("_", " ")} could not be read`);
