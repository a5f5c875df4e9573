/** A task with everything that hangs on it, as the platform's rows have it. */
export interface TaskWhole {
  task_id: string;
  status: string;
  risk_tier: string;
  goal: string;
  action: string;
  actor: string;
  source: string;
  reason: string | null;
  policy_sha256: string | null;
  parent_task_id: string | null;
  created_at: string;
  ended_at: string | null;
  steps: readonly StepFact[];
  events: readonly { seq: number; type: string; agent: string; ts: string }[];
  evaluations: readonly EvaluationFact[];
  requests: readonly AskedFact[];
  effects: readonly EffectFact[];
  artifacts: readonly ArtifactFact[];
  audit: readonly AuditFact[];
}

export interface StepFact {
  step_id: string;
  node_id: string;
  status: string;
  agent: string;
  tier: string;
  after: readonly string[];
  attempt: number;
  failures: number;
  worker: string | null;
  lease_expires_at: string | null;
  last_code: string | null;
  last_error: string | null;
  started_at: string | null;
  ended_at: string | null;
  quality_score: number | null;
}

export interface EvaluationFact {
  evaluation_id: string;
  critic: string;
  author: string;
  rubric: Readonly<Record<string, number>>;
  total: number;
  score: number;
  threshold: number;
  verdict: string;
  red_flags: readonly string[];
  artifact_checksum: string;
  created_at: string;
}

export interface AskedFact {
  code: string;
  status: string;
  tier: string;
  action: string;
  digest: string;
  /** What the digest was taken of: the approval holds for this and nothing else. */
  bound_to: Readonly<Record<string, unknown>>;
  requested_at: string;
  expires_at: string;
  decided: readonly {
    name: string;
    role: string;
    decision: "approve" | "reject";
    at: string;
    digest: string;
  }[];
}

export interface EffectFact {
  effect_id: string;
  kind: string;
  channel: string;
  status: string;
  attempt: number;
  reserved_at: string;
  sent_at: string | null;
  confirmed_at: string | null;
  digest: string | null;
  last_error: string | null;
}

export interface ArtifactFact {
  artifact_id: string;
  type: string;
  storage_ref: string;
  checksum: string;
  agent: string;
  media_type: string;
  created_at: string;
}

export interface AuditFact {
  id: number;
  ts: string;
  actor: string;
  action: string;
  object: string;
  outcome: string;
  code: string | null;
}
