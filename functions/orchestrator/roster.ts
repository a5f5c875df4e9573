import type { Agent } from "../_agents/agent.ts";
import { critic } from "../_agents/critic.ts";
import { executor } from "../_agents/executor.ts";
import { planner } from "../_agents/planner.ts";
import { researcher } from "../_agents/researcher.ts";
import { retriever } from "../_agents/retriever.ts";
import { trader } from "../_agents/trader.ts";
import type { Environment } from "../_edge/environment.ts";

/** Who does a step, by the agent class that the policy names. The communicator's steps belong to its own function. */
export const agents: Readonly<Record<string, Agent>> = {
  planner,
  researcher,
  retriever,
  trader,
  exec: executor,
  critic,
};

/** What each agent class needs from the world outside, for its heartbeat; null: nobody. */
export const dependenciesOf = (
  { llm, bridge }: Pick<Environment, "llm" | "bridge">,
): Record<string, string | null> => ({
  orchestrator: null,
  planner: null,
  researcher: null,
  retriever: null,
  trader: "quotes",
  exec: bridge === null ? "quotes" : "broker-bridge",
  critic: llm === null ? null : `llm:${llm.model}`.slice(0, 200),
});
