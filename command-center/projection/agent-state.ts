import type { AgentFact, AgentPicture, AgentState, AgentVerdict, Claim } from "../facts/agent.ts";
import { skew_s, spoken } from "../truth/judge.ts";
import { ageOf } from "./age.ts";

/** A heartbeat older than three intervals counts for nothing. */
export const missed_beats = 3;
/** A claim without activity for longer than this is stale, though its holder is alive. */
export const stale_claim_s = 30 * 60;

/** One of seven states, one of six pictures, and what is wrong: a pure function of what the sources said and the time. */
export function agentState(fact: AgentFact, now: Date): AgentVerdict {
  const wrong_thing = wrongThing(fact);
  const stale_claim = staleClaim(fact.claim, now);
  const { state, picture, failure } = seenAs(fact, now);
  const verdict = { wrong_thing, stale_claim, failure: failure ?? fact.failure };
  const works = state === "idle" || state === "busy" || state === "up";
  if (works && stale_claim !== null) {
    return {
      ...verdict,
      state: "degraded",
      picture: "stale on one item",
      failure: verdict.failure ?? stale_claim,
    };
  }
  if (works && wrong_thing !== null) {
    return { ...verdict, state: "degraded", picture, failure: verdict.failure ?? wrong_thing };
  }
  return { ...verdict, state, picture };
}

interface Seen {
  state: AgentState;
  picture: AgentPicture;
  failure: string | null;
}

const seen = (state: AgentState, picture: AgentPicture, failure: string | null = null): Seen => ({
  state,
  picture,
  failure,
});

function seenAs(fact: AgentFact, now: Date): Seen {
  const { process, says, beat_at, interval_s, claim } = fact;
  if (process === "missing") {
    return seen("down", "process missing", fact.failure ?? "its process is not there");
  }
  const age_s = ageOf(beat_at, now);
  if (age_s === null) {
    return process === "present"
      ? seen("degraded", "present but unhealthy", "its process is there and has no heartbeat")
      : seen("unknown", "not seen", "it has left no heartbeat");
  }
  if (age_s < -skew_s) {
    return seen("unknown", "not seen", `its heartbeat is ${spoken(-age_s)} ahead of this clock`);
  }
  if (age_s > missed_beats * interval_s) {
    const silent = `no heartbeat for ${spoken(age_s)}`;
    return process === "present"
      ? seen("degraded", "present but unhealthy", silent)
      : seen("down", "not seen", silent);
  }
  if (says === "degraded") return seen("degraded", "present but unhealthy");
  if (says === "rate_limited") return seen("rate_limited", "present but unhealthy");
  if (says === "busy") return seen("busy", "healthy and working");
  if (says === "idle") {
    return claim === null ? seen("idle", "healthy and idle") : seen("busy", "healthy and working");
  }
  return seen("up", claim === null ? "healthy and idle" : "healthy and working");
}

function staleClaim(claim: Claim | null, now: Date): string | null {
  if (claim === null) return null;
  const age_s = ageOf(claim.last_activity_at ?? claim.claimed_at, now);
  if (age_s === null || age_s <= stale_claim_s) return null;
  return `nothing has happened to ${claim.id} for ${spoken(age_s)}`;
}

function wrongThing({ name, works_as, claim }: AgentFact): string | null {
  if (claim === null) return null;
  if (claim.closed === true) return `it holds ${claim.id}, which is closed`;
  const { assigned_to } = claim;
  if (assigned_to === null || [name, works_as].includes(assigned_to)) return null;
  return `it holds ${claim.id}, which is assigned to ${assigned_to}`;
}
