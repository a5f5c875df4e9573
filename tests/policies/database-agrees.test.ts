import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planTask } from "../../functions/_agents/planner.ts";
import { topologicalOrder } from "../../functions/_domain/plan.ts";
import { approvalRule, type Policy, tierOf } from "../../functions/_domain/policy.ts";
import { tiers } from "../../functions/_domain/task.ts";
import { changed, shippedPolicy, shippedText } from "../functions/_policy/shipped-policy.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

let db: TestDatabase;
const policy = await shippedPolicy();
const actions = [...Object.keys(policy.actions), ...Object.keys(policy.platform_actions)];

const activate = async (text: string, body: Policy) =>
  (await db.owner<{ answer: Record<string, unknown> }>(
    "select private.install_policy($1, $2, 'a test') as answer",
    [text, JSON.stringify(body)],
  ))[0].answer;

const ruleInDatabase = async (tier: string) =>
  (await db.owner<{ min_score: string; slots: string[]; dry_run: boolean }>(
    "select (r).min_score, (r).slots, (r).dry_run from private.approval_rule($1) r",
    [tier],
  ))[0];

beforeAll(async () => {
  db = await openTestDatabase();
  expect(await activate(shippedText, policy)).toMatchObject({ status: "active" });
});
afterAll(() => db.close());

describe("the database and the functions read one policy alike", () => {
  it.each([...actions, "DANCE", "read", ""])("in the tier of %j", async (action) => {
    const [row] = await db.owner("select private.action_tier($1) as tier", [action]);
    expect(row.tier).toBe(tierOf(policy, action));
  });

  it.each(tiers)("in what %s asks for", async (tier) => {
    const { min_score, slots, dry_run } = await ruleInDatabase(tier);
    expect({ min_score: Number(min_score), slots, dry_run }).toEqual(approvalRule(policy, tier));
  });

  it.each([...actions, "tradingview"])("in the plan of %s and its order", async (action) => {
    const request = action === "tradingview"
      ? { source: action, action: policy.sources.tradingview.action }
      : { source: "service", action };
    const { nodes } = planTask(policy, request);
    const { slots } = approvalRule(policy, tierOf(policy, request.action)!);
    const [row] = await db.owner<{ problem: string | null; sequence: string[] }>(
      `select private.plan_problem(private.complete_nodes($1::jsonb, $3), $2::text[], $3) as problem,
         private.topological_order($1::jsonb) as sequence`,
      [JSON.stringify(nodes), slots, request.action],
    );
    expect(row.problem).toBeNull();
    // Both orders are right where nodes are independent; every node must follow what it waits for.
    expect([...row.sequence].sort()).toEqual(topologicalOrder(nodes)!.map(({ id }) => id).sort());
    for (const { id, after = [] } of nodes) {
      for (const parent of after) {
        expect(row.sequence.indexOf(parent)).toBeLessThan(row.sequence.indexOf(id));
      }
    }
  });

  it("in the agents and their tools", async () => {
    const rows = await db.owner<{ agent_class: string; agent: string; tools: string[] }>(
      "select agent_class, agent, tools from public.agents where enabled",
    );
    expect(Object.fromEntries(rows.map((row) => [row.agent_class, row.agent])))
      .toEqual(policy.agents);
    expect(Object.fromEntries(rows.map((row) => [row.agent_class, row.tools])))
      .toEqual(policy.tools);
  });

  it("in a stricter threshold, without a change of code", async () => {
    const strict = await changed((one) => one.approvals.T2[0] = "critic>=0.95");
    if (!strict.ok) throw new Error(strict.reason);
    expect(await activate(strict.text, strict.policy))
      .toMatchObject({ policy_sha256: strict.sha256, changed: true });
    expect(Number((await ruleInDatabase("T2")).min_score)).toBe(0.95);
    expect(approvalRule(strict.policy, "T2").min_score).toBe(0.95);
  });
});
