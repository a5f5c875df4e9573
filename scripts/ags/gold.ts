import { createHash } from "node:crypto";
import { type AgentContext, type Chunk } from "../../functions/_agents/agent.ts";
import { postOf } from "../../functions/_agents/communicator.ts";
import { planTask } from "../../functions/_agents/planner.ts";
import { parseAlert } from "../../functions/_domain/alert.ts";
import type { Evaluation } from "../../functions/_domain/evaluation.ts";
import type { Json } from "../../functions/_domain/json.ts";
import { type Policy, tierOf } from "../../functions/_domain/policy.ts";
import { Refusal } from "../../functions/_domain/refusal.ts";
import type { Input, StepWork } from "../../functions/_domain/task.ts";
import { agents } from "../../functions/orchestrator/roster.ts";

/** One line of a gold set: what comes in, and what must come of it. */
export interface GoldCase {
  name: string;
  alert?: { [key: string]: Json };
  action?: string;
  goal?: string;
  payload?: Json;
  /** Archived words that the search finds, nearest first. */
  memory?: string[];
  expect: {
    verdict?: "pass" | "fail";
    /** Each must stand in some red flag. */
    flags?: string[];
    /** Each must stand in what would be published or recorded. */
    text?: string[];
    without?: string[];
    /** A criterion that must not have all its marks. */
    clarity?: "lost";
    refused?: string;
  };
}

type Outcome = { refused: string } | { evaluation: Evaluation; text: string };

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

function taskOf(policy: Policy, gold: GoldCase): StepWork["task"] {
  let payload = gold.payload ?? {};
  if (gold.alert !== undefined) {
    const read = parseAlert(JSON.stringify(gold.alert));
    if (!read.ok) throw new Refusal(read.code, read.reason);
    payload = { alert: { ...read.alert } };
  }
  const action = gold.alert ? "PUBLISH" : gold.action ?? "SUMMARIZE";
  return {
    task_id: "T-2026-01-01-0001",
    goal: gold.goal ?? "Publish a signal",
    actor: "gold",
    action,
    risk_tier: tierOf(policy, action) ?? "T3",
    source: gold.alert ? "tradingview" : "gold",
    flow: null,
    payload,
    created_at: "2026-01-01T00:00:00.000Z",
  };
}

const contextOf = (policy: Policy, agentClass: string, memory: string[]): AgentContext => ({
  policy,
  now: new Date("2026-01-01T00:00:00Z"),
  tool: (name, run) =>
    policy.tools[agentClass]?.includes(name)
      ? run()
      : Promise.reject(new Refusal("tool_denied", `${agentClass} may not call ${name}.`)),
  search: () =>
    Promise.resolve(memory.map((content, i): Chunk => ({
      chunk_id: `chunk-${i}`,
      task_id: "T-2025-12-31-0001",
      artifact_id: `artifact-${i}`,
      symbol: null,
      content,
      distance: 0.1 * (i + 1),
      version: 1,
    }))),
  embed: () => Promise.resolve(Array(384).fill(0.05)),
  // The hard rules are what a change of code can break; a model's mood is not.
  judge: null,
});

/** Runs the flow's own agents up to the gate, as the orchestrator would, without a database. */
async function run(policy: Policy, gold: GoldCase): Promise<Outcome> {
  const task = taskOf(policy, gold);
  const inputs: Input[] = [];
  let evaluation: Evaluation | undefined;
  for (const node of planTask(policy, task).nodes) {
    const agentClass = policy.flows[planTask(policy, task).flow].nodes
      .find(({ id }) => id === node.id)!.agent;
    if (!Object.hasOwn(agents, agentClass) || ["plan", "publish", "execute"].includes(node.id)) {
      continue;
    }
    const result = await agents[agentClass]({
      step_id: node.id,
      task_id: task.task_id,
      node_id: node.id,
      agent: node.agent,
      agent_class: agentClass,
      action: node.action,
      tier: node.tier,
      attempt: 1,
      lease_token: "",
      lease_expires_at: "",
      input_hash: "",
      is_effect: false,
      task,
      inputs,
    }, contextOf(policy, agentClass, gold.memory ?? []));
    evaluation = result.evaluation ?? evaluation;
    if (result.artifact) {
      inputs.push({
        node_id: node.id,
        agent: node.agent,
        artifact_id: `gold-${node.id}`,
        type: result.artifact.type,
        storage_ref: `supa://artifacts/gold-${node.id}/${result.artifact.type}.json`,
        checksum: sha256(result.artifact.content),
        content: result.artifact.content,
      });
    }
  }
  const act = inputs.find(({ node_id }) => node_id === "act");
  if (!evaluation || !act) throw new Error(`${gold.name}: the flow has no act or no critic`);
  return { evaluation, text: postOf(act, task.task_id).text };
}

/** What of the expectation did not come true; empty where all did. */
export async function judgeCase(policy: Policy, gold: GoldCase): Promise<string[]> {
  const { expect } = gold;
  const outcome = await run(policy, gold).catch((error): Outcome => {
    if (error instanceof Refusal) return { refused: error.code };
    throw error;
  });
  if ("refused" in outcome) {
    return outcome.refused === expect.refused ? [] : [`refused with ${outcome.refused}`];
  }
  if (expect.refused !== undefined) return [`not refused with ${expect.refused}`];
  const { evaluation, text } = outcome;
  const flags = evaluation.red_flags.join("; ");
  const missing = (wanted: string[] | undefined, where: string, what: string) =>
    (wanted ?? []).filter((part) => !where.includes(part)).map((part) => `no "${part}" in ${what}`);
  return [
    ...(expect.verdict === undefined || evaluation.verdict === expect.verdict
      ? []
      : [`verdict ${evaluation.verdict}, ${evaluation.total} of 9${flags && `: ${flags}`}`]),
    ...missing(expect.flags, flags, "the red flags"),
    ...(evaluation.verdict === "pass" ? missing(expect.text, text, "the text") : []),
    ...(expect.without ?? []).filter((part) => text.includes(part)).map((part) =>
      `"${part}" in the text`
    ),
    ...(expect.clarity === "lost" && evaluation.rubric.clarity === 2
      ? ["clarity lost nothing"]
      : []),
  ];
}

export interface SetResult {
  set: string;
  cases: number;
  passed: number;
  failures: string[];
}

/** A whole set, one line of JSON for each case. */
export async function judgeSet(policy: Policy, set: string, lines: string): Promise<SetResult> {
  const cases = lines.trim().split("\n").map((line): GoldCase => JSON.parse(line));
  const failures: string[] = [];
  for (const gold of cases) {
    const wrong = await judgeCase(policy, gold);
    if (wrong.length > 0) failures.push(`${gold.name}: ${wrong.join("; ")}`);
  }
  return { set, cases: cases.length, passed: cases.length - failures.length, failures };
}
