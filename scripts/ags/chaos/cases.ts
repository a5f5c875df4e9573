import { retrievalOutage, staleMemory } from "./memory-away.ts";
import type { ChaosCase } from "./scene.ts";
import { llmTimeout, toolDown } from "./tools-away.ts";
import { paymentFailure, slowBus } from "./work-held-up.ts";

export const chaosCases: Readonly<Record<string, ChaosCase>> = {
  "tool-down": toolDown,
  "slow-bus": slowBus,
  "stale-memory": staleMemory,
  "retrieval-outage": retrievalOutage,
  "payment-failure": paymentFailure,
  "llm-timeout": llmTimeout,
};
