import type { Json } from "../_domain/json.ts";
import type { StepWork } from "../_domain/task.ts";
import type { Evaluation } from "../_domain/evaluation.ts";
import type { Policy } from "../_domain/policy.ts";
import type { AccountState } from "../_domain/account-state.ts";
import type { Quote } from "../_domain/quote.ts";

/** One archived chunk found by cosine distance; `distance` is 0 for the same direction, 2 for the opposite. */
export interface Chunk {
  chunk_id: string;
  task_id: string;
  artifact_id: string;
  symbol: string | null;
  content: string;
  distance: number;
  version: number;
}

/** What was last found on a symbol, kept for the time when the memory or the embedder does not answer. */
export interface Remembered {
  /** When it was found. */
  as_of: string;
  /** As the retriever handed it on, perhaps under an older version of itself. */
  chunks: unknown;
}

/** What an LLM judge answers: marks within the rubric's ranges, or null where it gave none. */
export interface Judge {
  name: string;
  score(
    input: { goal: string; content: string; evidence: string[] },
  ): Promise<
    {
      policy: number;
      evidence: number;
      factuality: number;
      clarity: number;
      risk: number;
      notes: string[];
    } | null
  >;
}

/** A proposed policy that was looked up: its text says what the parsed body of this hash says. */
export interface PolicyOnRecord {
  policy_sha256: string;
  body_sha256: string;
}

export interface AgentContext {
  policy: Policy;
  now: Date;
  /** Runs a tool if the agent's allowlist names it; otherwise throws `tool_denied`. */
  tool: <T>(name: string, run: () => Promise<T>) => Promise<T>;
  search: (symbol: string, embedding: number[], limit: number) => Promise<Chunk[]>;
  embed: (text: string) => Promise<number[]>;
  /** What was found on a symbol before, or null; the tool `artifacts.read`. */
  remember?: (symbol: string) => Promise<Remembered | null>;
  judge: Judge | null;
  /** A fresh price from a source of the policy, stored before it is used; the tool `quotes.read`. */
  market?: (symbol: string) => Promise<Quote>;
  /** Where an account stands now; the tool `accounts.read`. */
  account?: (accountId: string) => Promise<AccountState>;
  /** What the gates of a paid order's task would say now; the tool `artifacts.read`. */
  rehearse_access?: (taskId: string) => Promise<unknown>;
  /** A proposed policy, text and body compared, or `digest_drift`; the tool `artifacts.read`. */
  read_policy?: (sha256: string) => Promise<PolicyOnRecord>;
}

export interface StepResult {
  artifact?: { type: string; media_type: string; content: string };
  quality_score?: number;
  evaluation?: Evaluation;
  output?: Json;
}

/** A worker without a memory: the same step and context give the same result. Expected failures are `Refusal`s. */
export type Agent = (work: StepWork, context: AgentContext) => Promise<StepResult>;
