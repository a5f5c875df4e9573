import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ancestors,
  checkPlan,
  type PlanNode,
  planSchema,
  planTier,
  topologicalOrder,
} from "../../../functions/_domain/plan.ts";
import { tiers } from "../../../functions/_domain/task.ts";

const agents = ["planner", "retriever", "exec", "critic", "communicator"];
const node = (id: string, ...after: string[]): PlanNode => ({ id, agent: "exec", after });

// A gold plan of the playbook's kind, in the wire form.
const posting = {
  task_id: "T-2026-03-05-0007",
  nodes: [
    { id: "plan", agent: "planner" },
    { id: "retrieve", agent: "retriever", after: ["plan"] },
    { id: "act", agent: "exec", after: ["retrieve"] },
    { id: "critic", agent: "critic", after: ["act"] },
    { id: "approve", agent: "human", tier: "T2", after: ["critic"] },
    { id: "publish", agent: "communicator", after: ["approve"] },
  ],
};

// Edges only from earlier to later nodes, listed in any order: every acyclic graph can be drawn so.
const randomGraph = fc.integer({ min: 1, max: 20 }).chain((size) =>
  fc.tuple(
    fc.array(fc.array(fc.nat(size), { maxLength: 4 }), { minLength: size, maxLength: size }),
    fc.array(fc.constantFrom(...tiers), { minLength: size, maxLength: size }),
    fc.shuffledSubarray(Array.from({ length: size }, (_, i) => i), { minLength: size }),
  ).map(([parents, risks, listing]) =>
    listing.map((i): PlanNode => ({
      id: `n${i}`,
      agent: agents[i % agents.length],
      tier: risks[i],
      after: [...new Set(parents[i].filter((parent) => parent < i))].map((parent) => `n${parent}`),
    }))
  )
);

describe("a plan", () => {
  it.each([
    ["no nodes", { nodes: [] }],
    ["65 nodes", { nodes: Array.from({ length: 65 }, (_, i) => node(`n${i}`)) }],
    ["an id in capitals", { nodes: [node("Plan")] }],
    ["an id of 33 letters", { nodes: [node("n".repeat(33))] }],
    ["an id that is a path", { nodes: [node("../plan")] }],
    ["a tier that does not exist", { nodes: [{ ...node("plan"), tier: "T9" }] }],
    ["an action in small letters", { nodes: [{ ...node("plan"), action: "trade" }] }],
    ["a field nobody knows", { nodes: [{ ...node("plan"), skip_approval: true }] }],
    ["an agent that is a sentence", { nodes: [{ id: "plan", agent: "the planner" }] }],
  ])("is refused with %s", (_, plan) => {
    expect(planSchema.safeParse(plan).success).toBe(false);
  });

  it.each([
    ["invalid_plan", "two nodes share an id", [node("a"), node("a")]],
    ["invalid_plan", "a node waits for one that is not there", [node("a", "b")]],
    ["invalid_plan", "a node waits twice for one", [node("a"), node("b", "a", "a")]],
    ["unknown_agent", "an agent is not in the registry", [{ id: "a", agent: "oracle" }]],
    ["unknown_agent", "an agent is named after a prototype", [{ id: "a", agent: "constructor" }]],
    ["cyclic_plan", "a node waits for itself", [node("a", "a")]],
    ["cyclic_plan", "two nodes wait for each other", [node("a", "b"), node("b", "a")]],
    ["cyclic_plan", "the circle lies behind a good start", [
      node("a"),
      node("b", "a", "d"),
      node("c", "b"),
      node("d", "c"),
    ]],
  ])("is refused as %s when %s", (code, _, nodes) => {
    expect(checkPlan({ nodes }, agents)).toMatchObject({ ok: false, code });
  });

  it("in the wire form is read, and its order is the listing", () => {
    const plan = planSchema.parse(posting);
    const checked = checkPlan(plan, agents);
    expect(checked.ok && checked.order).toEqual(plan.nodes);
    expect(planTier(plan.nodes)).toBe("T2");
  });

  it("knows people and the orchestrator without a registry", () => {
    const nodes = [{ id: "a", agent: "human" }, { id: "b", agent: "orchestrator" }];
    expect(checkPlan({ nodes }, []).ok).toBe(true);
  });

  it("has no tier, not the lowest, where no node says one", () => {
    expect(planTier([{}, {}])).toBeNull();
    expect(planTier([])).toBeNull();
  });
});

describe("any acyclic graph", () => {
  it("is accepted, and its order holds every node once, after all it waits for", () => {
    fc.assert(fc.property(randomGraph, (nodes) => {
      expect(planSchema.safeParse({ nodes }).success).toBe(true);
      const checked = checkPlan({ nodes }, agents);
      if (!checked.ok) throw new Error(checked.reason);
      const place = new Map(checked.order.map(({ id }, index) => [id, index]));
      expect(place.size).toBe(nodes.length);
      for (const { id, after = [] } of nodes) {
        for (const parent of after) expect(place.get(parent)).toBeLessThan(place.get(id)!);
      }
    }));
  });

  it("has an order that ordering again does not change", () => {
    fc.assert(fc.property(randomGraph, (nodes) => {
      const order = topologicalOrder(nodes);
      expect(topologicalOrder(order!)).toEqual(order);
    }));
  });

  it("runs to its end whichever ready node is taken next", () => {
    fc.assert(fc.property(randomGraph, fc.infiniteStream(fc.nat()), (nodes, picks) => {
      const done = new Set<string>();
      while (done.size < nodes.length) {
        const ready = nodes.filter((one) =>
          !done.has(one.id) && (one.after ?? []).every((id) => done.has(id))
        );
        expect(ready.length).toBeGreaterThan(0);
        const next = ready[picks.next().value % ready.length];
        for (const before of ancestors(nodes, next.id)) expect(done.has(before)).toBe(true);
        done.add(next.id);
      }
    }));
  });

  it("is refused once an edge leads back from a node to one that it waits for", () => {
    fc.assert(fc.property(randomGraph, fc.nat(), fc.nat(), (nodes, some, other) => {
      const start = nodes[some % nodes.length];
      const before = [...ancestors(nodes, start.id), start.id];
      const back = before[other % before.length];
      const closed = nodes.map((one) =>
        one.id === back ? { ...one, after: [...new Set([...(one.after ?? []), start.id])] } : one
      );
      expect(checkPlan({ nodes: closed }, agents)).toMatchObject({ code: "cyclic_plan" });
    }));
  });

  it("is as risky as its riskiest node, in whatever order the nodes stand", () => {
    fc.assert(fc.property(randomGraph, (nodes) => {
      const highest = Math.max(...nodes.map(({ tier }) => tiers.indexOf(tier!)));
      expect(planTier(nodes)).toBe(tiers[highest]);
      expect(planTier([...nodes].reverse())).toBe(tiers[highest]);
    }));
  });
});
