import { expect } from "vitest";
import {
  accept,
  alertEvent,
  type Answer,
  claim,
  lease,
  plan,
  policySha256,
} from "../support/line.ts";
import { all, drop, given, type Guard, never, refuses, type Removal, replace } from "./guard.ts";
import { type House, one } from "./house.ts";

interface Node {
  id: string;
  agent: string;
  after: string[];
  action?: string;
  tier?: string;
}

const line: Node[] = [
  { id: "act", agent: "trader", after: [] },
  { id: "critic", agent: "critic", after: ["act"] },
  { id: "approve", agent: "human", after: ["critic"] },
  { id: "publish", agent: "communicator", after: ["approve"] },
  { id: "archive", agent: "orchestrator", after: ["publish"] },
];
const changed = (id: string, change: Partial<Node>) =>
  line.map((node) => node.id === id ? { ...node, ...change } : node);
const lacking = (id: string) =>
  line.filter((node) => node.id !== id).map((node) => ({
    ...node,
    after: node.after.flatMap((p) => p === id ? line.find((n) => n.id === id)!.after : [p]),
  }));

async function planned(house: House, nodes: Node[]): Promise<Answer> {
  given(await accept(house, alertEvent(`plan ${Math.random()}`)));
  const [work] = await claim(house, ["planner"]);
  return await plan(house, work, nodes);
}

const refusedPlan = (
  name: string,
  test: string,
  nodes: Node[],
  without: Removal,
  code = "invalid_plan",
): Guard => ({
  name,
  promise: "plans",
  test,
  without,
  probe: async (house) => refuses(await planned(house, nodes), code),
});

const problem = (find: string, put = "false") => replace("private.plan_problem", find, put);

/** The signal's nodes as the database completes them, one of them changed. */
const completed = (id: string, change: Record<string, unknown>) =>
  [
    ["plan", "planner", "READ"],
    ["look", "researcher", "READ", "plan"],
    ["act", "trader", "READ", "look"],
    ["critic", "critic", "READ", "act"],
    ["approve", "human", "READ", "critic"],
    ["publish", "communicator", "PUBLISH", "approve"],
    ["archive", "orchestrator", "READ", "publish"],
  ].map(([name, agent, action, ...after]) => ({
    ...{ id: name, class: agent, action, tier: "T0", after },
    ...name === id ? change : {},
  }));

const problemOf = (house: House, nodes: unknown[]) =>
  one(house, "select private.plan_problem($1, '{operator_approval}', 'PUBLISH') as value", [
    JSON.stringify(nodes),
  ]);

export const guardsOfPlans: Guard[] = [
  refusedPlan(
    "A plan has a critic (the count, the effect behind it and the people behind it)",
    "a plan without a critic is refused",
    lacking("critic"),
    all(
      problem("('critic'), ", ""),
      drop(
        "private.effect_nodes",
        "and exists (select 1 from jsonb_array_elements(p_nodes) c where c ->> 'class' = 'critic' and c ->> 'id' = any (private.ancestors(p_nodes, n ->> 'id')))",
      ),
      problem("n ->> 'class' = 'human' and not exists (", "false and not exists ("),
    ),
  ),
  refusedPlan(
    "People are asked after the critic",
    "a plan that asks people before the critic is refused",
    [
      { id: "act", agent: "trader", after: [] },
      { id: "approve", agent: "human", after: ["act"] },
      { id: "critic", agent: "critic", after: ["approve"] },
      { id: "publish", agent: "communicator", after: ["critic"] },
      { id: "archive", agent: "orchestrator", after: ["publish"] },
    ],
    problem("n ->> 'class' = 'human' and not exists (", "false and not exists ("),
  ),
  refusedPlan(
    "What needs people asks people",
    "a plan of T2 that asks nobody is refused",
    lacking("approve"),
    problem(
      "p_slots <> '{}' and (select count(*) from jsonb_array_elements(p_nodes) n where n ->> 'class' = 'human') <> 1",
    ),
  ),
  refusedPlan(
    "The effect comes last",
    "a plan with work beside the effect is refused",
    [...line.slice(0, 4), { id: "aside", agent: "researcher", after: [] }, {
      id: "archive",
      agent: "orchestrator",
      after: ["publish", "aside"],
    }],
    problem(
      "exists (select 1 from unnest(v_ids) i where i not in (v_archive, v_effects[1]) and i <> all (private.ancestors(p_nodes, v_effects[1])))",
    ),
  ),
  refusedPlan(
    "Nothing but the effect speaks outside",
    "a plan with a second speaker is refused",
    [...line.slice(0, 1), { id: "tell", agent: "communicator", after: ["act"], action: "READ" }, {
      id: "critic",
      agent: "critic",
      after: ["tell"],
    }, ...line.slice(2)],
    problem("n ->> 'class' = 'communicator' or private.action_tier", "private.action_tier"),
  ),
  refusedPlan(
    "Nothing but the effect carries an action that needs people",
    "a plan that trades on its way to a post is refused",
    changed("act", { action: "TRADE" }),
    problem("or private.action_tier(n ->> 'action') > 'T1'", ""),
  ),
  {
    name: "A plan is no circle",
    promise: "plans",
    test: "a plan with a circle is refused",
    without: problem("private.topological_order(p_nodes) is null"),
    async probe(house) {
      const nodes = completed("look", { after: ["plan", "act"] });
      expect(await problemOf(house, nodes)).toBe("cyclic_plan");
    },
  },
  {
    name: "A plan names known agents",
    promise: "plans",
    test: "a plan with an agent that is not registered is refused",
    without: problem(
      "exists (select 1 from jsonb_array_elements(p_nodes) n where n ->> 'class' is null)",
    ),
    async probe(house) {
      expect(await problemOf(house, completed("look", { class: null }))).toBe("unknown_agent");
    },
  },
  {
    name: "A plan may raise the tier, never lower it",
    promise: "plans",
    test: "a plan that calls a post T0 has the tier of a post",
    without: replace(
      "api.record_plan",
      "greatest(private.action_tier(v_task.action), max(greatest(private.action_tier(n ->> 'action'), n ->> 'tier')))",
      "max(n ->> 'tier')",
    ),
    async probe(house) {
      const nodes = line.map((node) => ({ ...node, tier: "T0" }));
      expect(given(await planned(house, nodes)).risk_tier).toBe("T2");
    },
  },
  {
    name: "A process with another policy plans nothing",
    promise: "policy",
    test: "a plan under an unknown policy is refused",
    without: replace("api.record_plan", ":= private.policy_problem(p_policy_sha256)", ":= null"),
    async probe(house) {
      given(await accept(house, alertEvent(`plan ${Math.random()}`)));
      const [work] = await claim(house, ["planner"]);
      const answer = await house.database.call<Answer>("record_plan", {
        ...lease(work),
        p_plan: { flow: "signal", nodes: line },
        p_policy_sha256: "0".repeat(64),
      });
      expect(policySha256).not.toBe("0".repeat(64));
      refuses(answer, "policy_not_approved");
    },
  },
  {
    name: "An unknown action is refused at the door",
    promise: "plans",
    test: "a delivery with an action that the policy does not name becomes no task",
    without: never(
      "api.accept_event",
      "v_tier is null and private.active_policy_sha256() is not null",
    ),
    probe: async (house) =>
      refuses(
        await accept(house, alertEvent(`n ${Math.random()}`, { action: "NONSENSE" })),
        "unclassified_action",
      ),
  },
  {
    name: "An unknown action is the strictest",
    promise: "plans",
    test: "a task whose action the policy no longer names is T3",
    without: replace(
      "private.effective_tier",
      "coalesce(private.action_tier(p_task.action), 'T3')",
      "coalesce(private.action_tier(p_task.action), 'T0')",
    ),
    async probe(house) {
      const { task_id } = given(await accept(house, alertEvent(`n ${Math.random()}`)));
      await house.owner(
        "update public.tasks set action = 'NONSENSE', risk_tier = 'T0' where task_id = $1",
        [task_id],
      );
      expect(
        await one(
          house,
          "select private.effective_tier(t) as value from public.tasks t where task_id = $1",
          [task_id],
        ),
      ).toBe("T3");
    },
  },
];
