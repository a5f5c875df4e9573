import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentContext } from "../../../functions/_agents/agent.ts";
import { planner, planTask } from "../../../functions/_agents/planner.ts";
import { checkPlan, planSchema, planTier } from "../../../functions/_domain/plan.ts";
import { tierOf } from "../../../functions/_domain/policy.ts";
import type { Json } from "../../../functions/_domain/json.ts";
import type { StepWork } from "../../../functions/_domain/task.ts";
import { changed, shippedPolicy } from "../_policy/shipped-policy.ts";

const policy = await shippedPolicy();
const versions = Object.values(policy.agents);
const actions = [...Object.keys(policy.actions), ...Object.keys(policy.platform_actions)];

const never = () => Promise.reject(new Error("a planner calls nothing"));
const context: AgentContext = {
  policy,
  now: new Date("2026-03-05T09:30:00Z"),
  tool: never,
  search: never,
  embed: never,
  judge: null,
};

const work = (source: string, action: string, payload: Json = {}): StepWork => ({
  step_id: "00000000-0000-4000-8000-000000000001",
  task_id: "T-2026-03-05-0007",
  node_id: "plan",
  agent: "planner:v2",
  agent_class: "planner",
  action: "READ",
  tier: "T0",
  attempt: 1,
  lease_token: "00000000-0000-4000-8000-000000000002",
  lease_expires_at: "2026-03-05T09:30:30Z",
  input_hash: "0".repeat(64),
  is_effect: false,
  task: {
    task_id: "T-2026-03-05-0007",
    goal: "a goal",
    actor: "someone",
    action,
    risk_tier: "T0",
    source,
    flow: null,
    payload,
    created_at: "2026-03-05T09:30:00Z",
  },
  inputs: [],
});

describe("the planner refuses", () => {
  it.each(["DANCE", "publish", "", "constructor", "__proto__"])(
    "the action %j, whoever asks",
    async (action) => {
      for (const source of ["tradingview", "service", "constructor"]) {
        await expect(planner(work(source, action), context))
          .rejects.toMatchObject({ code: "unclassified_action" });
      }
    },
  );
});

describe("the plan of a TradingView alert", () => {
  it("is the signal flow, with the versions of the policy and a risk on every node", async () => {
    const { output } = await planner(work("tradingview", "PUBLISH"), context);
    expect(output).toEqual({
      flow: "signal",
      nodes: [
        { id: "plan", agent: "planner:v2", action: "READ", tier: "T0" },
        { id: "research", agent: "researcher:v3", after: ["plan"], action: "RESEARCH", tier: "T0" },
        { id: "retrieve", agent: "retriever:v1", after: ["plan"], action: "RETRIEVE", tier: "T0" },
        {
          id: "act",
          agent: "trader:xauusd-v6",
          after: ["research", "retrieve"],
          action: "DRAFT_REPLY",
          tier: "T1",
        },
        { id: "critic", agent: "critic:guard-v4", after: ["act"], action: "READ", tier: "T0" },
        { id: "approve", agent: "human", after: ["critic"], action: "READ", tier: "T2" },
        {
          id: "publish",
          agent: "telegram-comms:v3",
          after: ["approve"],
          action: "PUBLISH",
          tier: "T2",
        },
        { id: "archive", agent: "orchestrator", after: ["publish"], action: "READ", tier: "T0" },
      ],
    });
  });

  it("is the flow of the action when a request under that name asks for a payment", async () => {
    const { output } = await planner(work("tradingview", "PAYMENT"), context);
    expect(output).toMatchObject({ flow: "access" });
  });
});

describe("the plan of every action", () => {
  it.each(actions)("%s can be run, and is exactly as risky as the action", (action) => {
    const plan = planTask(policy, { source: "service", action });
    expect(planSchema.safeParse(plan).success).toBe(true);
    expect(checkPlan(plan, versions).ok).toBe(true);
    expect(planTier(plan.nodes)).toBe(tierOf(policy, action));
    const effects = plan.nodes.filter(({ id }) => id === "publish" || id === "execute");
    expect(effects).toMatchObject([{ action, tier: tierOf(policy, action) }]);
    const approve = plan.nodes.find(({ agent }) => agent === "human");
    expect(approve?.tier).toBe(tierOf(policy, action));
  });

  it.each(actions)("%s tags no node below its own action's tier", (action) => {
    for (const node of planTask(policy, { source: "service", action }).nodes) {
      expect(node.tier >= tierOf(policy, node.action)!).toBe(true);
    }
  });
});

describe("a plan", () => {
  it("is the same whatever the payload says", async () => {
    const plain = await planner(work("service", "TRADE"), context);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (payload) => {
        const hostile = { nodes: [], flow: "answer", tier: "T0", any: payload as Json };
        expect(await planner(work("service", "TRADE", hostile), context)).toEqual(plain);
      }),
      { numRuns: 30 },
    );
  });

  it("is kept as an artifact in the wire form", async () => {
    const { artifact, output } = await planner(work("service", "READ"), context);
    expect(artifact).toMatchObject({ type: "plan", media_type: "application/json" });
    const stored = planSchema.parse(JSON.parse(artifact!.content));
    expect(stored).toEqual({ task_id: "T-2026-03-05-0007", ...output as object });
  });

  it("keeps a tier that the flow writes higher than the action's", async () => {
    const careful = await changed((one) => one.flows.answer.nodes[1].tier = "T1");
    if (!careful.ok) throw new Error(careful.reason);
    const plan = planTask(careful.policy, { source: "service", action: "READ" });
    expect(planTier(plan.nodes)).toBe("T1");
  });

  it("follows the policy's versions", async () => {
    const next = await changed((one) => one.agents.exec = "executor:v3");
    if (!next.ok) throw new Error(next.reason);
    const plan = planTask(next.policy, { source: "service", action: "READ" });
    expect(plan.nodes.find(({ id }) => id === "act")?.agent).toBe("executor:v3");
  });
});
