import type { Json } from "./json.ts";

export type Tier = "T0" | "T1" | "T2" | "T3";
export const tiers: readonly Tier[] = ["T0", "T1", "T2", "T3"];

/** One artifact of the task so far, as an agent sees it. `checksum` is sha256 in hex over the UTF-8 content. */
export interface Input {
  node_id: string;
  agent: string;
  artifact_id: string;
  type: string;
  storage_ref: string;
  checksum: string;
  content: string;
}

/** A leased step with everything its agent needs; what `api.claim_steps` returns, one per step. */
export interface StepWork {
  step_id: string;
  task_id: string;
  node_id: string;
  /** `name:version`, as registered. */
  agent: string;
  agent_class: string;
  action: string;
  tier: Tier;
  attempt: number;
  lease_token: string;
  lease_expires_at: string;
  input_hash: string;
  /** The one step of the task that changes something outside itself. */
  is_effect: boolean;
  task: {
    task_id: string;
    goal: string;
    actor: string;
    action: string;
    risk_tier: Tier;
    source: string;
    flow: string | null;
    payload: Json;
    created_at: string;
  };
  /** Every artifact of the task so far, oldest first. */
  inputs: Input[];
}
