/** The seven words for an agent, and no other. */
export const agentStates = [
  "up",
  "down",
  "degraded",
  "idle",
  "busy",
  "rate_limited",
  "unknown",
] as const;
export type AgentState = typeof agentStates[number];

/** The five pictures that must not be taken for one another, and the sixth: nobody can see. */
export type AgentPicture =
  | "process missing"
  | "present but unhealthy"
  | "healthy and idle"
  | "healthy and working"
  | "stale on one item"
  | "not seen";

/** What an agent says it holds, and what the source of the work says about that. */
export interface Claim {
  /** The object's id in its source: a task's id, or `owner/repo#12`. */
  id: string;
  href: string | null;
  claimed_at: string | null;
  /** When anything last happened to it; null where the source cannot tell. */
  last_activity_at: string | null;
  /** Who it is assigned to by the source of the work; null where it says nothing. */
  assigned_to: string | null;
  /** True when the source of the work has closed it; null where it says nothing. */
  closed: boolean | null;
}

/** What a source says of one agent or loop, before anybody judges it. */
export interface AgentFact {
  /** Unique within its source. */
  name: string;
  kind: string;
  href: string | null;
  /** A pid alone is not enough to be up; null where the source does not look at processes. */
  process: "present" | "missing" | null;
  /** What the agent says of itself in its heartbeat; null where it has none. */
  says: "idle" | "busy" | "degraded" | "rate_limited" | null;
  /** The explicit artifact with a time in it. Older than three intervals counts for nothing. */
  beat_at: string | null;
  interval_s: number;
  last_success_at: string | null;
  claim: Claim | null;
  /** Model, provider or service that it depends on. */
  dependency: string | null;
  /** Why it is not well, in its own words. */
  failure: string | null;
  /** The login under which the source of the work knows it, where that is not its name. */
  works_as?: string | null;
  /** How long a service took to answer. */
  latency_ms?: number | null;
  /** Models that an endpoint says it serves. */
  serves?: readonly string[] | null;
}

export interface AgentVerdict {
  state: AgentState;
  picture: AgentPicture;
  /** Set when it works on what is not its own or is closed, in a sentence. */
  wrong_thing: string | null;
  /** Set when the claim has had no activity for longer than the limit, in a sentence. */
  stale_claim: string | null;
  failure: string | null;
}
