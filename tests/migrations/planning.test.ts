import { describe, expect, it } from "vitest";
import { flowOf } from "../../functions/_domain/policy.ts";
import { accept, alertEvent, type Answer, claim, lease, plan, policy } from "../support/line.ts";
import { change, db, good, work } from "./planned-signal.ts";

const steps = async () =>
  await db.owner<{ node_id: string; status: string; waits_for: string[] }>(
    "select node_id, status, waits_for from public.task_steps where task_id = $1 order by node_id",
    [work.task_id],
  );

describe("a plan is refused", () => {
  it.each<[string, string, unknown]>([
    ["that is no list", "invalid_plan", "nodes"],
    ["that is empty", "invalid_plan", []],
    [
      "of 65 nodes",
      "invalid_plan",
      Array.from({ length: 65 }, (_, i) => ({ id: `n${i}`, agent: "trader" })),
    ],
    ["with something that is no node", "invalid_plan", [...good, "node"]],
    ["with two nodes of one name", "invalid_plan", [...good, good[1]]],
    ["with a node without a name", "invalid_plan", [...good, { agent: "trader" }]],
    [
      "with a node that waits for nothing known",
      "invalid_plan",
      change("act", { after: ["nobody"] }),
    ],
    ["with a node that waits for no list", "invalid_plan", change("act", { after: "plan" })],
    ["with a node that waits for null", "invalid_plan", change("act", { after: ["plan", null] })],
    ["with a tier that does not exist", "invalid_plan", change("act", { tier: "T9" })],
    ["with a node without an agent", "invalid_plan", change("act", { agent: null })],
    ["with an agent that nobody knows", "unknown_agent", change("act", { agent: "oracle" })],
    [
      "with an agent that is registered and disabled",
      "unknown_agent",
      change("act", { agent: "etl" }),
    ],
    [
      "with an older version of an agent",
      "unknown_agent",
      change("act", { agent: "trader:xauusd-v5" }),
    ],
    ["that goes in a circle", "cyclic_plan", change("act", { after: ["plan", "critic"] })],
    ["whose node waits for itself", "cyclic_plan", change("act", { after: ["plan", "act"] })],
    ["whose plan waits", "cyclic_plan", change("plan", { after: ["act"] })],
    ["with an action without a tier", "unclassified_action", change("act", { action: "FLY" })],
    ["without a critic", "invalid_plan", change("critic", { agent: "researcher" })],
    ["with two critics", "invalid_plan", change("act", { agent: "critic" })],
    ["with a second planner", "invalid_plan", change("act", { agent: "planner" })],
    [
      "without a person where the tier asks one",
      "invalid_plan",
      change("approve", { agent: "researcher" }),
    ],
    ["with two people's nodes", "invalid_plan", [
      ...change("publish", { after: ["approve", "again"] }),
      { id: "again", agent: "human", after: ["critic"] },
    ]],
    [
      "whose effect goes around the person",
      "invalid_plan",
      change("publish", { after: ["critic"] }),
    ],
    ["whose effect goes around the critic", "invalid_plan", change("publish", { after: ["act"] })],
    [
      "whose person is asked before the critic",
      "invalid_plan",
      change("critic", { after: ["approve"] }).map((node) =>
        node.id === "approve"
          ? { ...node, after: ["act"] }
          : node.id === "publish"
          ? { ...node, after: ["critic"] }
          : node
      ),
    ],
    ["whose effect does not wait for a side branch", "invalid_plan", [
      ...change("archive", { after: ["publish", "aside"] }),
      { id: "aside", agent: "researcher", after: ["plan"], action: "RESEARCH" },
    ]],
    [
      "whose archive does not wait for the effect",
      "invalid_plan",
      change("archive", { after: ["approve"] }),
    ],
    ["with two effects", "invalid_plan", [...change("archive", { after: ["publish", "again"] }), {
      id: "again",
      agent: "communicator",
      after: ["approve"],
      action: "PUBLISH",
    }]],
    [
      "with a communicator that speaks beside the effect",
      "invalid_plan",
      change("act", { agent: "communicator" }),
    ],
    [
      "that hides the task's action in a draft",
      "invalid_plan",
      change("act", { agent: "exec", action: "PUBLISH" }),
    ],
    [
      "with another dangerous action",
      "invalid_plan",
      change("act", { agent: "exec", action: "TRADE" }),
    ],
    ["without the effect of the task", "invalid_plan", change("publish", { action: "READ" })],
    ["of 130 kilobytes", "invalid_plan", change("act", { note: "x".repeat(131_072) })],
  ])("%s", async (_what, code, nodes) => {
    expect(await plan(db, work, nodes as unknown[])).toMatchObject({ refused: code });
    expect((await steps()).map(({ node_id }) => node_id)).toEqual(["plan"]);
    expect(await db.owner("select status from public.tasks where task_id = $1", [work.task_id]))
      .toEqual([{ status: "created" }]);
  });

  it("by a lease that was lost, and by a step that plans nothing", async () => {
    expect(await plan(db, { ...work, attempt: 7 }, good)).toMatchObject({ refused: "stale_lease" });
  });

  it("by a process with another policy or none", async () => {
    for (const [sha, code] of [["0".repeat(64), "policy_not_approved"], [null, "policy_invalid"]]) {
      expect(
        await db.database.call<Answer>("record_plan", {
          ...lease(work),
          p_plan: { nodes: good },
          p_policy_sha256: sha,
        }),
      ).toMatchObject({ refused: code });
    }
  });

  it("the second time", async () => {
    expect(await plan(db, work, good)).toMatchObject({ status: "planned" });
    expect(await plan(db, work, good)).toMatchObject({ refused: "stale_lease" });
    expect(await steps()).toHaveLength(6);
  });
});

describe("a recorded plan", () => {
  it("has the tier of its riskiest node", async () => {
    expect(await plan(db, work, good)).toMatchObject({ risk_tier: "T2" });
  });

  it("may raise the tier, never lower it", async () => {
    expect(await plan(db, work, change("act", { tier: "T3" }))).toMatchObject({ risk_tier: "T3" });
  });

  it("has an archive and a beginning even where the compact form names none", async () => {
    const compact = [
      { id: "retrieve", agent: "retriever" },
      { id: "act", agent: "exec", after: ["retrieve"] },
      { id: "critic", agent: "critic", after: ["act"] },
      { id: "approve", agent: "human", after: ["critic"], tier: "T2" },
      { id: "publish", agent: "communicator", after: ["approve"] },
    ];
    expect(await plan(db, work, compact)).toMatchObject({ risk_tier: "T2" });
    expect(await steps()).toEqual([
      { node_id: "act", status: "pending", waits_for: ["retrieve"] },
      { node_id: "approve", status: "pending", waits_for: ["critic"] },
      { node_id: "archive", status: "pending", waits_for: ["publish"] },
      { node_id: "critic", status: "pending", waits_for: ["act"] },
      { node_id: "plan", status: "done", waits_for: [] },
      { node_id: "publish", status: "pending", waits_for: ["approve"] },
      { node_id: "retrieve", status: "ready", waits_for: ["plan"] },
    ]);
  });

  it("of every action of the policy is one that the planner makes", async () => {
    const actions = [
      ...Object.values(policy.risk_tiers).flat(),
      ...Object.keys(policy.platform_actions),
    ];
    for (const action of actions) {
      const { task_id } = await accept(
        db,
        alertEvent(`${action} ${Math.random()}`, { action, source: "desk" }),
      );
      const step = (await claim(db, ["planner"])).find((item) => item.task_id === task_id)!;
      expect(await plan(db, step), action).toMatchObject({ status: "planned" });
      const effects = await db.owner(
        "select node_id, action from public.task_steps where task_id = $1 and is_effect",
        [task_id],
      );
      expect(effects).toEqual([{
        node_id: policy.flows[flowOf(policy, { source: "desk", action })!].nodes
          .find((node) => node.action === undefined)!.id,
        action,
      }]);
    }
  });
});
