/**
 * What the reference model knows. Plain values, no SQL and no database: written from docs/state-machine.md and the
 * rules of governance, so that the two can be wrong only independently.
 */
export type Role = "owner" | "operator" | "reviewer";
export type Slot = "operator_approval" | "owner_approval";
export type Scope = "all" | "t3";

export interface Account {
  name: string;
  telegram: string;
  person: number;
  role: Role;
  active: boolean;
  factor: { enrolled: boolean; lastStep: number; wrong: number[] };
}

/** The rules of one policy file, as far as this machine reads them. */
export interface Policy {
  label: string;
  score: Record<string, number>;
  slots: Record<string, Slot[]>;
  tiers: Record<string, string>;
  fills: Record<Slot, Role[]>;
}

export interface Step {
  node: string;
  agent: string;
  waits: string[];
  status: string;
  parents: number;
  attempt: number;
  failures: number;
  runAt: number;
  leaseUntil: number | null;
}

export interface Artifact {
  node: string;
  type: string;
  text: string;
  /** The bytes that the checksum column names. */
  stored: string;
}

export interface Evaluation {
  artifact: number;
  read: string;
  rubric: string;
  score: string;
  critic: string;
}

export interface Approval {
  account: number;
  person: number;
  role: Role;
  decision: Decision;
  simulated: boolean;
}
export type Decision = "approve" | "reject";

export interface Request {
  status: string;
  tier: string;
  slots: Slot[];
  digest: string;
  expires: number;
  approvals: Approval[];
}

export interface Effect {
  status: string;
  attempt: number;
  request: number;
  kind: string;
  channel: string;
  payload: string;
}

export interface Task {
  kind: "signal" | "trade";
  status: string;
  reason: string | null;
  requester: number | null;
  tenant: string;
  goal: string;
  action: string;
  tier: string;
  created: number;
}

export interface Lease {
  node: string;
  attempt: number;
}

/** What a message says that arrived, or will. Whatever its sender signed, was signed when it was written. */
export interface Update {
  applied: boolean;
  from: string;
  ownChat: boolean;
  simulated: boolean;
  bundle: "active" | "other";
  proof: { valid: boolean; step: number } | null;
  intent: Intent;
}
export type Intent =
  | {
    type: "answer";
    request: number | "unknown" | "task";
    decision: Decision;
    signed: Signed | null;
  }
  | { type: "stop"; scope: Scope }
  | { type: "resume"; scope: Scope }
  | { type: "glass" }
  | { type: "confirm"; which: number | null; decision: Decision }
  | { type: "t3"; on: boolean }
  | { type: "resolve"; done: boolean };
export interface Signed {
  request: number;
  person: number;
  role: Role;
  decision: Decision;
  digest: string;
  at: number;
  known: boolean;
}

export interface Confirmation {
  kind: "resume" | "break_glass";
  scope: Scope | null;
  asker: number;
  person: number;
  role: Role;
  expires: number;
  outcome: string | null;
}

export interface Grant {
  asker: number;
  confirmer: number;
  expires: number;
  used: boolean;
  voided: boolean;
}

export interface World {
  now: number;
  task: Task;
  accounts: Account[];
  policy: Policy;
  /** "lost" is a row that is not there: it stops like one that says so. */
  stops: Record<Scope, "running" | "stopped" | "lost">;
  t3: boolean;
  /** How many positions the account may hold; part of what an approval of an order is bound to. */
  positions: number;
  steps: Step[];
  artifacts: Artifact[];
  evaluations: Evaluation[];
  requests: Request[];
  effects: Effect[];
  leases: Lease[];
  updates: Update[];
  confirmations: Confirmation[];
  grants: Grant[];
  /** When the clock's jobs are due again: leases and requests, and what waits for a second person. */
  due: { work: number; confirmations: number };
}

/** What a command answers: a refusal, or how its object stands afterwards. */
export interface Outcome {
  refused?: string;
  status?: string;
  /** In a command of many calls: which call this answers, a claim or the result of one node. */
  of?: string;
}

export const minute = 60_000;
