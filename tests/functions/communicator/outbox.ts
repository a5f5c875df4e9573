import type { Database } from "../../../functions/_database/database.ts";
import type { StepWork } from "../../../functions/_domain/task.ts";

type Args = Record<string, unknown>;
export interface DatabaseCall {
  name: string;
  args: Args;
}

/** A database that hands out what it is given, once, and answers each call from a table. What it was told is kept. */
export function outbox(answers: Record<string, (args: Args) => unknown> = {}) {
  const calls: DatabaseCall[] = [];
  const notifications: unknown[] = [];
  const steps: StepWork[] = [];
  const defaults: Record<string, (args: Args) => unknown> = {
    claim_notifications: ({ p_limit }) => notifications.splice(0, Number(p_limit)),
    complete_notifications: () => ({}),
    claim_steps: ({ p_limit }) => steps.splice(0, Number(p_limit)),
    take_tool_token: () => ({ granted: true }),
    reserve_effect: () => ({ effect_id: "e-1", status: "reserved", idempotency_key: "k" }),
    start_effect: () => ({ status: "sent" }),
    confirm_effect: ({ p_outcome }) => ({ status: p_outcome }),
    fail_step: () => ({ status: "failed" }),
  };
  const database: Database = {
    // A thrown answer becomes a rejection, as with a real connection.
    call: <T>(name: string, args: Args = {}) =>
      new Promise<T>((resolve) => {
        calls.push({ name, args });
        resolve((answers[name] ?? defaults[name])(args) as T);
      }),
    close: () => Promise.resolve(),
  };
  const told = (name: string) =>
    calls.filter((call) => call.name === name).map((call) => call.args);
  return { database, calls, notifications, steps, told };
}

export function publishStep(more: Partial<StepWork> = {}, tier: "T0" | "T2" = "T2"): StepWork {
  const post = {
    node_id: "act",
    agent: "trader:v1",
    artifact_id: "a-1",
    type: "post",
    storage_ref: "supa://artifacts/a-1/post.txt",
    checksum: "0",
    content: "BTCUSDT, long: idea",
  };
  return {
    step_id: "s-1",
    task_id: "T-2025-09-28-0012",
    node_id: "publish",
    agent: "communicator:v1",
    agent_class: "communicator",
    action: "PUBLISH",
    tier,
    attempt: 2,
    lease_token: "lease",
    lease_expires_at: "2025-09-28T14:00:30Z",
    input_hash: "h",
    is_effect: false,
    inputs: [post],
    task: {
      task_id: "T-2025-09-28-0012",
      goal: "publish",
      actor: "tradingview:desk",
      action: "PUBLISH",
      risk_tier: tier,
      source: "tradingview",
      flow: "signal",
      payload: {},
      created_at: "2025-09-28T14:00:00Z",
    },
    ...more,
  };
}
