import { describe, expect, it } from "vitest";
import { changed, reasonOf } from "./shipped-policy.ts";

// deno-lint-ignore no-explicit-any
type Change = (policy: any) => void;
// deno-lint-ignore no-explicit-any
const node = (policy: any, flow: string, id: string) =>
  // deno-lint-ignore no-explicit-any
  policy.flows[flow].nodes.find((one: any) => one.id === id);

const contradictions: [string, RegExp, Change][] = [
  ["an action with two tiers", /PAYMENT has more than one tier/, (policy) => {
    policy.risk_tiers.T0.push("PAYMENT");
  }],
  ["an action twice in one tier", /READ has more than one tier/, (policy) => {
    policy.risk_tiers.T0.push("READ");
  }],
  ["a platform action that a tier repeats", /RESUME has more than one tier/, (policy) => {
    policy.risk_tiers.T1.push("RESUME");
    policy.actions.RESUME = "answer";
  }],
  ["an action without a flow", /TRADE has no flow/, (policy) => delete policy.actions.TRADE],
  ["a flow for an action without a tier", /actions\.DANCE has no tier/, (policy) => {
    policy.actions.DANCE = "answer";
  }],
  ["an action whose flow is missing", /READ: there is no flow "reply"/, (policy) => {
    policy.actions.READ = "reply";
  }],
  ["a flow named after a prototype", /there is no flow "constructor"/, (policy) => {
    policy.actions.READ = "constructor";
  }],
  ["a source whose action has no tier", /sources\.tradingview: FLY has no tier/, (policy) => {
    policy.sources.tradingview.action = "FLY";
  }],
  ["a source whose flow is missing", /tradingview: there is no flow/, (policy) => {
    policy.sources.tradingview.flow = "gone";
  }],
  ["T2 that asks nobody", /approvals\.T2 asks nobody/, (policy) => {
    policy.approvals.T2 = ["critic>=0.8"];
  }],
  ["T3 that asks for a dry run alone", /approvals\.T3 asks nobody/, (policy) => {
    policy.approvals.T3 = ["critic>=0.9", "dry_run_required"];
  }],
  ["T2 without a threshold", /approvals\.T2 has no critic>= threshold/, (policy) => {
    policy.approvals.T2 = ["operator_approval"];
  }],
  ["two agents of one version", /two agents share a version/, (policy) => {
    policy.agents.critic = policy.agents.trader;
  }],
  ["tools for an agent nobody knows", /tools\.oracle: there is no such agent/, (policy) => {
    policy.tools.oracle = ["embed"];
  }],
  ["tools for a person", /tools\.human: there is no such agent/, (policy) => {
    policy.tools.human = ["telegram.post"];
  }],
  ["an agent whose tools are not said", /tools\.trader is missing/, (policy) => {
    delete policy.tools.trader;
  }],
  ["an optional agent that is required", /optional_agents\.critic is not optional/, (policy) => {
    policy.optional_agents.critic = null;
  }],
];

const badFlows: [string, RegExp, Change][] = [
  ["waits in a circle", /flows\.signal: cyclic_plan/, (policy) => {
    node(policy, "signal", "research").after = ["act"];
  }],
  ["waits for a node that is not there", /flows\.signal: invalid_plan/, (policy) => {
    node(policy, "signal", "act").after = ["sleep"];
  }],
  ["has two nodes of one name", /flows\.signal: invalid_plan/, (policy) => {
    node(policy, "signal", "research").id = "retrieve";
  }],
  ["names an agent nobody knows", /flows\.answer: unknown_agent/, (policy) => {
    node(policy, "answer", "act").agent = "oracle";
  }],
  ["names an agent that is disabled", /flows\.answer: unknown_agent/, (policy) => {
    node(policy, "answer", "retrieve").agent = "etl";
  }],
  ["pins a version of its own", /flows\.answer: unknown_agent/, (policy) => {
    node(policy, "answer", "act").agent = "executor:v1";
  }],
  [
    "publishes without waiting for a person",
    /does not wait for the critic and a person/,
    (policy) => {
      node(policy, "signal", "publish").after = ["critic"];
      node(policy, "signal", "archive").after = ["publish", "approve"];
    },
  ],
  ["asks the person before the critic has looked", /critic and a person/, (policy) => {
    node(policy, "signal", "approve").after = ["act"];
    node(policy, "signal", "publish").after = ["approve", "critic"];
  }],
  ["trades beside its effect", /"research": TRADE belongs to the effect alone/, (policy) => {
    node(policy, "signal", "research").action = "TRADE";
  }],
  ["has a step of unknown risk", /"research": DREAM has no tier/, (policy) => {
    node(policy, "signal", "research").action = "DREAM";
  }],
  ["has two effects", /exactly one node/, (policy) => {
    delete node(policy, "signal", "act").action;
  }],
  ["has no effect", /exactly one node/, (policy) => {
    node(policy, "signal", "publish").action = "READ";
  }],
  ["lets the critic publish", /"critic" performs no effect/, (policy) => {
    node(policy, "publish", "publish").agent = "critic";
  }],
  ["lets a person be the effect", /"human" performs no effect/, (policy) => {
    node(policy, "publish", "publish").agent = "human";
  }],
  ["asks two people in a row", /exactly one node asks a person/, (policy) => {
    node(policy, "signal", "act").agent = "human";
  }],
  ["asks nobody", /exactly one node asks a person/, (policy) => {
    node(policy, "answer", "approve").agent = "exec";
  }],
  ["leaves an agent's work to the orchestrator", /"act" is no archive/, (policy) => {
    node(policy, "answer", "act").agent = "orchestrator";
  }],
  ["does not begin with the plan", /the first node is not plan/, (policy) => {
    node(policy, "signal", "plan").agent = "researcher";
  }],
  ["starts something before the plan", /"research" does not wait for the plan/, (policy) => {
    delete node(policy, "signal", "research").after;
  }],
  ["archives before everything is done", /archive does not wait for "publish"/, (policy) => {
    node(policy, "signal", "archive").after = ["approve"];
  }],
];

describe("a policy whose sections disagree", () => {
  it.each(contradictions)("is refused for %s", async (_, reason, change) => {
    expect(reasonOf(await changed(change))).toMatch(reason);
  });
});

describe("a flow", () => {
  it.each(badFlows)("is refused when it %s", async (_, reason, change) => {
    expect(reasonOf(await changed(change))).toMatch(reason);
  });

  it("may name an optional agent once it has a version", async () => {
    const result = await changed((policy) => {
      policy.optional_agents.etl = "etl:v1";
      node(policy, "answer", "retrieve").agent = "etl";
    });
    expect(reasonOf(result)).toBe("(accepted)");
  });
});
