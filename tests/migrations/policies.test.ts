import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  activate,
  claim,
  complete,
  plan,
  policy,
  policySha256,
  resultOf,
} from "../support/line.ts";
import { change, db, work } from "./planned-signal.ts";

describe("the tiers beside a policy", () => {
  const action = fc.constantFrom("READ", "TRADE_OPEN", "PUBLISH_PUBLIC", "PAYMENT", "");
  const tier = fc.constantFrom("T0", "T1", "T2", "T3");
  const body = fc.record({
    risk_tiers: fc.dictionary(tier, fc.array(action)),
    platform_actions: fc.dictionary(action, fc.oneof(fc.record({ tier }), fc.constant({}))),
  }, { requiredKeys: [] });

  it("are what its body says of each action, the stricter where it says two things", async () => {
    await fc.assert(
      fc.asyncProperty(body, async (given) => {
        const rows = await db.owner(
          "select a from unnest(array['READ', 'TRADE_OPEN', 'PUBLISH_PUBLIC', 'PAYMENT', '', 'ELSE']) a " +
            "where private.tiers_of($1::text::jsonb) ->> a is distinct from private.tier_by($1::text::jsonb, a)",
          [JSON.stringify({ risk_tiers: {}, ...given })],
        );
        expect(rows).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it("are written by nobody", async () => {
    await expect(db.owner("update public.policies set tiers = '{}'")).rejects.toThrow(
      /can only be updated to DEFAULT/,
    );
  });

  it.each([
    "null",
    "[]",
    '{"risk_tiers": "T0"}',
    '{"risk_tiers": {"T0": "READ"}, "platform_actions": {"READ": 1}}',
  ])(
    "are none of a body that says nothing: %s",
    async (given) => {
      expect(await db.owner("select private.tiers_of($1::text::jsonb) as tiers", [given])).toEqual([
        { tiers: {} },
      ]);
    },
  );
});

describe("the registry of agents", () => {
  it("knows an optional agent without a version and never dispatches it", async () => {
    expect(await db.owner("select agent, enabled from public.agents where agent_class = 'etl'"))
      .toEqual([{ agent: null, enabled: false }]);
  });

  it("dispatches no step of an agent that the active policy does not have, until it has it again", async () => {
    await plan(db, work, change("act", { after: ["plan"] }));
    const { trader: _trader, ...others } = policy.agents;
    await activate(db, "without a trader", { ...policy, agents: others });
    expect((await claim(db)).filter(({ task_id }) => task_id === work.task_id)).toEqual([]);
    await activate(db, "with an optional trader", {
      ...policy,
      agents: others,
      optional_agents: { etl: null, trader: "trader:v9" },
    });
    const claimed = (await claim(db)).filter(({ task_id }) => task_id === work.task_id);
    // The version that works is the one on record.
    expect(claimed.map(({ agent }) => agent)).toEqual(["trader:v9"]);
    await activate(db);
    await complete(db, claimed[0], resultOf(claimed[0]));
  });

  it("lets two classes trade their versions", async () => {
    const { trader, researcher } = policy.agents;
    expect(
      await activate(db, "traded", {
        ...policy,
        agents: { ...policy.agents, trader: researcher, researcher: trader },
      }),
    ).toMatchObject({ status: "active" });
    await activate(db);
    expect(await db.owner("select agent from public.agents where agent_class = 'trader'")).toEqual([
      { agent: trader },
    ]);
  });
});

describe("a policy is not activated", () => {
  it.each<[string, unknown]>([
    ["without tiers", { ...policy, risk_tiers: undefined }],
    ["with a tier that does not exist", {
      ...policy,
      risk_tiers: { ...policy.risk_tiers, T4: ["FLY"] },
    }],
    ["with a threshold above one", {
      ...policy,
      approvals: { ...policy.approvals, T2: ["critic>=1.9", "operator_approval"] },
    }],
    ["with two thresholds", {
      ...policy,
      approvals: { ...policy.approvals, T2: ["critic>=0.8", "critic>=0.1", "operator_approval"] },
    }],
    ["with a token that nobody knows", {
      ...policy,
      approvals: { ...policy.approvals, T2: ["critic>=0.8", "operator_approval", "owner_maybe"] },
    }],
    ["that asks nobody for T2", {
      ...policy,
      approvals: { ...policy.approvals, T2: ["critic>=0.8"] },
    }],
    ["that asks nobody for T3", { ...policy, approvals: { T2: policy.approvals.T2 } }],
    ["without a floor for the rubric", { ...policy, rubric: {} }],
    ["with a floor under seven", { ...policy, rubric: { ...policy.rubric, pass_total: 6 } }],
    ["without a version", { ...policy, version: "one" }],
    ["with two agents of one version", {
      ...policy,
      agents: { ...policy.agents, trader: policy.agents.planner },
    }],
    ["with an agent without a version", { ...policy, agents: { ...policy.agents, trader: null } }],
    ["with a platform action without a tier", { ...policy, platform_actions: { RESUME: {} } }],
    ["that is a list", []],
    ["that is nothing", null],
  ])("%s", async (what, body) => {
    expect(await activate(db, what, body)).toMatchObject({ refused: "policy_invalid" });
    expect(await db.owner("select policy_sha256 from public.policies where status = 'active'"))
      .toEqual([{ policy_sha256: policySha256 }]);
  });
});
