import type { Policy, Role, Task, World } from "./world.ts";

/** The house of the model: its people, its policies, its flows, and what its agents write. */
export const people = [
  { name: "olga", telegram: "1001", person: 0, role: "operator" },
  { name: "oskar", telegram: "1002", person: 1, role: "owner" },
  { name: "rita", telegram: "1003", person: 2, role: "reviewer" },
  { name: "tom", telegram: "1004", person: 3, role: "operator" },
  { name: "tom-owner", telegram: "1024", person: 3, role: "owner" },
  { name: "pia", telegram: "1005", person: 4, role: "operator" },
] as const satisfies { name: string; telegram: string; person: number; role: Role }[];
export const stranger = "9999";

const shipped: Policy = {
  label: "shipped",
  score: { T2: 0.8, T3: 0.9 },
  slots: { T2: ["operator_approval"], T3: ["operator_approval", "owner_approval"] },
  tiers: { PUBLISH: "T2", SOCIAL_POST: "T2", TRADE: "T3" },
  fills: { operator_approval: ["operator"], owner_approval: ["owner"] },
};
export const policies: Policy[] = [
  shipped,
  { ...shipped, label: "reworded" },
  { ...shipped, label: "stricter critic", score: { T2: 0.95, T3: 0.95 } },
  { ...shipped, label: "posts are T3", tiers: { ...shipped.tiers, PUBLISH: "T3" } },
  {
    ...shipped,
    label: "two for posts",
    slots: { ...shipped.slots, T2: ["operator_approval", "owner_approval"] },
  },
  {
    ...shipped,
    label: "owners stand in",
    fills: { operator_approval: ["operator", "owner"], owner_approval: ["owner"] },
  },
];

/** The graph of a flow: what waits for what, and who works on it. */
export const flows: Record<Task["kind"], { minutes: number; nodes: [string, string, string[]][] }> =
  {
    signal: {
      minutes: 15,
      nodes: [
        ["plan", "planner", []],
        ["research", "researcher", ["plan"]],
        ["retrieve", "retriever", ["plan"]],
        ["act", "trader", ["research", "retrieve"]],
        ["critic", "critic", ["act"]],
        ["approve", "human", ["critic"]],
        ["publish", "communicator", ["approve"]],
        ["archive", "orchestrator", ["publish"]],
      ],
    },
    trade: {
      minutes: 60,
      nodes: [
        ["plan", "planner", []],
        ["research", "researcher", ["plan"]],
        ["retrieve", "retriever", ["plan"]],
        ["act", "trader", ["research", "retrieve"]],
        ["dry_run", "trader", ["act"]],
        ["critic", "critic", ["dry_run"]],
        ["approve", "human", ["critic"]],
        ["execute", "exec", ["approve"]],
        ["archive", "orchestrator", ["execute"]],
      ],
    },
  };
export const effectNode = (task: Task): string => task.kind === "signal" ? "publish" : "execute";

/** What the trader of the model writes, in one of two wordings. */
export const order = (variant: number) => ({ account_id: "paper-1", side: "buy", size: variant });
export const postText = (variant: number): string => `BTCUSDT long, entry ${67000 + variant}`;
export const proposalText = (kind: Task["kind"], variant: number): string =>
  JSON.stringify(kind === "signal" ? { idea: variant } : { order: order(variant) });
export const rehearsalText = (subject: string): string =>
  JSON.stringify({ subject_sha256: subject, lines: [] });

/** Four verdicts of the critic: clarity and factuality are what it may take marks from without a red flag. */
export const marks = [
  { policy: 1, evidence: 2, factuality: 3, clarity: 2, risk: 1 },
  { policy: 1, evidence: 2, factuality: 3, clarity: 1.5, risk: 1 },
  { policy: 1, evidence: 2, factuality: 3, clarity: 1, risk: 1 },
  { policy: 1, evidence: 2, factuality: 0, clarity: 2, risk: 1 },
];
export const scoreOf = (index: number): string =>
  (Object.values(marks[index]).reduce((sum, mark) => sum + mark) / 9).toFixed(4);
export const totalOf = (index: number): number =>
  Object.values(marks[index]).reduce((sum, mark) => sum + mark);

export function newWorld(kind: Task["kind"], requester: number | null, now: number): World {
  return {
    now,
    task: {
      kind,
      status: "created",
      reason: null,
      requester,
      tenant: "main",
      goal: kind,
      action: kind === "signal" ? "PUBLISH" : "TRADE",
      tier: kind === "signal" ? "T2" : "T3",
      created: now,
    },
    accounts: people.map(({ name, telegram, person, role }) => ({
      name,
      telegram,
      person,
      role,
      active: true,
      factor: { enrolled: role !== "reviewer", lastStep: 0, wrong: [] },
    })),
    policy: policies[0],
    stops: { all: "running", t3: "running" },
    t3: false,
    positions: 3,
    steps: [{
      node: "plan",
      agent: "planner",
      waits: [],
      status: "ready",
      parents: 0,
      attempt: 0,
      failures: 0,
      runAt: now,
      leaseUntil: null,
    }],
    artifacts: [],
    evaluations: [],
    requests: [],
    effects: [],
    leases: [],
    updates: [],
    confirmations: [],
    grants: [],
    due: { work: 0, confirmations: 0 },
  };
}
