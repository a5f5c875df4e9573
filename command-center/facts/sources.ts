import type { Reader } from "../truth/reading.ts";
import type { AgentFact } from "./agent.ts";
import type { CardFact } from "./card.ts";
import type { JobFact } from "./job.ts";
import type { PullFact, RequestFact } from "./review.ts";

/** Everything that the views are computed from. A source that is not configured is a reader that is blind and says so. */
export interface Sources {
  /** Agents, loops, models and services: whatever can be up or down. */
  agents: readonly Reader<readonly AgentFact[]>[];
  pulls: readonly Reader<readonly PullFact[]>[];
  requests: readonly Reader<readonly RequestFact[]>[];
  jobs: readonly Reader<readonly JobFact[]>[];
  cards: readonly Reader<readonly CardFact[]>[];
}
