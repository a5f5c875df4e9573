import { readdirSync, readFileSync } from "node:fs";
import type { AgentContext } from "../../../functions/_agents/agent.ts";
import type { Subject } from "../../../functions/_agents/critic-subject.ts";
import type { Rubric } from "../../../functions/_domain/evaluation.ts";
import type { Json } from "../../../functions/_domain/json.ts";
import type { Policy } from "../../../functions/_domain/policy.ts";
import type { Input, StepWork, Tier } from "../../../functions/_domain/task.ts";
import { loadBundledPolicy } from "../../../functions/_policy/bundled-policy.ts";

const loaded = await loadBundledPolicy();
if (!loaded.ok) throw new Error(loaded.reason);
export const policy: Policy = loaded.policy;

export interface IdeaFixture {
  what: string;
  alert: { [key: string]: Json };
  idea: { [key: string]: Json };
  marks: Rubric;
}

const folder = new URL("../../fixtures/ideas/", import.meta.url);
export const ideaFixtures: [name: string, fixture: IdeaFixture][] = readdirSync(folder)
  .filter((file) => file.endsWith(".json")).sort()
  .map((
    file,
  ) => [file.replace(".json", ""), JSON.parse(readFileSync(new URL(file, folder), "utf8"))]);

export const fixture = (name: string): IdeaFixture =>
  structuredClone(ideaFixtures.find(([found]) => found === name)![1]);

export const research: Input = {
  node_id: "research",
  agent: policy.agents.researcher,
  artifact_id: "0b6f1c52-1111-4a7e-9c1d-000000000001",
  type: "research",
  storage_ref: "supa://artifacts/0b6f1c52-1111/research.json",
  checksum: "a1".repeat(32),
  content: JSON.stringify({ symbol: "XAUUSD", facts: [], withheld: [], note: "" }),
};

export const retrieval: Input = {
  node_id: "retrieve",
  agent: policy.agents.retriever,
  artifact_id: "0b6f1c52-2222-4a7e-9c1d-000000000002",
  type: "retrieval",
  storage_ref: "supa://artifacts/0b6f1c52-2222/retrieval.json",
  checksum: "b2".repeat(32),
  content: JSON.stringify({
    query: "XAUUSD long",
    symbol: "XAUUSD",
    chunks: [{
      chunk_id: "c-701",
      task_id: "T-2026-02-20-0031",
      artifact_id: "0b6f1c52-9999",
      distance: 0.182,
      version: 1,
      content: "Long XAUUSD, London breakout.",
    }],
    note: "",
  }),
};

export const cited = [research, retrieval].map(({ artifact_id, node_id, checksum }) => ({
  artifact_id,
  node_id,
  checksum,
}));

export const task = (change: Partial<StepWork["task"]> = {}): StepWork["task"] => ({
  task_id: "T-2026-03-02-0007",
  goal: "Post the signal",
  actor: "tradingview:desk",
  action: "PUBLISH",
  risk_tier: "T2",
  source: "tradingview",
  flow: "signal",
  payload: {},
  created_at: "2026-03-02T08:15:02Z",
  ...change,
});

export const act = (type: string, content: unknown, agent = policy.agents.trader): Input => ({
  node_id: "act",
  agent,
  artifact_id: "0b6f1c52-3333-4a7e-9c1d-000000000003",
  type,
  storage_ref: "supa://artifacts/0b6f1c52-3333/work.json",
  checksum: "c3".repeat(32),
  content: typeof content === "string" ? content : JSON.stringify(content),
});

export const subjectOf = (
  artifact: Input,
  change: Partial<StepWork["task"]> = {},
  more: Partial<Subject> = {},
): Subject => ({
  artifact,
  inputs: [research, retrieval],
  task: task(change),
  critic: policy.agents.critic,
  policy,
  ...more,
});

export const ideaSubject = ({ alert, idea }: IdeaFixture): Subject =>
  subjectOf(act("idea", idea), { payload: { alert } });

export const stepOf = (
  { task, inputs, artifact, policy }: Pick<Subject, "task" | "inputs" | "artifact" | "policy">,
): StepWork => ({
  step_id: "5e0d",
  task_id: task.task_id,
  node_id: "critic",
  agent: policy.agents.critic,
  agent_class: "critic",
  action: "READ",
  tier: "T0",
  attempt: 1,
  lease_token: "lease",
  lease_expires_at: "2026-03-02T08:15:32Z",
  input_hash: "00",
  is_effect: false,
  task,
  inputs: [...inputs, artifact],
});

/** A context that allows what the policy allows to an agent, and remembers which tools were called. */
export function contextFor(agentClass: string, change: Partial<AgentContext> = {}) {
  const called: string[] = [];
  const context: AgentContext = {
    policy,
    now: new Date("2026-03-02T08:15:05Z"),
    tool: (name, run) => {
      called.push(name);
      if (!policy.tools[agentClass]?.includes(name)) {
        return Promise.reject(new Error(`the policy lets no ${agentClass} call ${name}`));
      }
      return run();
    },
    search: () => Promise.resolve([]),
    embed: () => Promise.resolve(Array.from({ length: 384 }, (_, i) => (i === 0 ? 1 : 0))),
    judge: null,
    ...change,
  };
  return { context, called };
}

export const tier = (name: Tier, action: string): Partial<StepWork["task"]> => ({
  risk_tier: name,
  action,
  source: "api",
  flow: null,
});
