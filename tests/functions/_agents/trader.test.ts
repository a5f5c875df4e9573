import { describe, expect, it } from "vitest";
import { parseAlert } from "../../../functions/_domain/alert.ts";
import { type Idea, ideaSchema } from "../../../functions/_domain/idea.ts";
import type { Json } from "../../../functions/_domain/json.ts";
import type { Input, StepWork } from "../../../functions/_domain/task.ts";
import type { Policy } from "../../../functions/_domain/policy.ts";
import type { AgentContext } from "../../../functions/_agents/agent.ts";
import { trader } from "../../../functions/_agents/trader.ts";

const checksum = "ab".repeat(32);
const input = (type: string, content: string, artifact_id = `artifact-${type}`): Input => ({
  node_id: type,
  agent: `${type}:v1`,
  artifact_id,
  type,
  storage_ref: `supa://artifacts/${artifact_id}`,
  checksum,
  content,
});
const chunk = (fields: object = {}) => ({
  chunk_id: "chunk-1",
  task_id: "T-2025-09-20-0001",
  artifact_id: "artifact-0",
  distance: 0.125,
  version: 1,
  content: "Long BTCUSDT at 100000",
  ...fields,
});
const retrieval = (...chunks: object[]) =>
  input("retrieval", JSON.stringify({ query: "BTCUSDT", chunks }));

const work = (payload: Json, inputs: Input[] = []): StepWork => ({
  step_id: "step-1",
  task_id: "T-2025-09-28-0012",
  node_id: "act",
  agent: "trader:xauusd-v6",
  agent_class: "trader",
  action: "DRAFT_REPLY",
  tier: "T1",
  attempt: 1,
  lease_token: "lease",
  lease_expires_at: "2025-09-28T10:20:00Z",
  input_hash: "hash",
  is_effect: false,
  task: {
    task_id: "T-2025-09-28-0012",
    goal: "publish a signal",
    actor: "tradingview",
    action: "PUBLISH",
    risk_tier: "T2",
    source: "tradingview",
    flow: "signal",
    payload,
    created_at: "2025-09-28T10:15:00Z",
  },
  inputs,
});

// Of the policy the trader reads these rules alone, so nothing else is here to be read.
const policy = {
  guardrails: {
    signal: { min_reward_risk: "1.5", derive: { stop_loss_pct: "2", reward_risk: "3" } },
  },
} as unknown as Policy;

function context(tools: string[] = []): AgentContext {
  const never = () => Promise.reject(new Error("the trader has no business with this"));
  return {
    policy,
    now: new Date("2025-09-28T10:15:01Z"),
    tool: (name, run) => {
      tools.push(name);
      return run();
    },
    search: never,
    embed: never,
    judge: null,
  };
}

const alert = (body: string): Json => {
  const parsed = parseAlert(body);
  if (!parsed.ok) throw new Error(parsed.reason);
  return { alert: { ...parsed.alert } };
};
const idea = async (step: StepWork): Promise<Idea> => {
  const { artifact } = await trader(step, context());
  expect(artifact).toMatchObject({ type: "idea", media_type: "application/json" });
  return ideaSchema.parse(JSON.parse(artifact!.content));
};

describe("the trader", () => {
  it("refuses an entry without a price, saying so", async () => {
    await expect(trader(work(alert("BUY BTCUSDT")), context())).rejects.toMatchObject({
      code: "insufficient_data",
      detail: expect.stringMatching(/BTCUSDT has no usable price/),
    });
  });

  it("refuses a task without an alert, or with one of another shape", async () => {
    const forged = {
      ...(alert("BUY BTCUSDT @ 100") as { alert: object }).alert,
      price: "100; drop",
    };
    for (
      const payload of [null, "text", {}, { alert: null }, { alert: { symbol: "X" } }, {
        alert: forged,
      }]
    ) {
      await expect(trader(work(payload as Json), context())).rejects.toMatchObject({
        code: "insufficient_data",
      });
    }
  });

  it("refuses a retrieval that cannot be read, rather than pass over it", async () => {
    for (const content of ["not json", "{}", '{"chunks":[{"chunk_id":1}]}']) {
      const step = work(alert("BUY BTCUSDT @ 100"), [input("retrieval", content)]);
      await expect(trader(step, context())).rejects.toMatchObject({ code: "insufficient_data" });
    }
  });

  it("derives by the policy's rules and marks what it derived", async () => {
    const { entry, stop_loss, take_profits, reward_risk } = await idea(
      work(alert("SELL BTCUSDT @ 100000")),
    );
    expect(entry).toMatchObject({ value: "100000", origin: "alert" });
    expect(stop_loss).toEqual({
      value: "102000",
      origin: "derived",
      rule: "policy stop_loss_pct 2 of entry",
    });
    expect(take_profits).toEqual([
      { value: "94000", origin: "derived", rule: "policy reward_risk 3 of risk 2000" },
    ]);
    expect(reward_risk).toBe("3");
  });

  it("cites research and retrieval by checksum, and nothing else", async () => {
    const inputs = [input("plan", "{}"), input("research", "words"), retrieval(chunk())];
    const { evidence } = await idea(work(alert("BUY BTCUSDT @ 100"), inputs));
    expect(evidence).toEqual([
      { artifact_id: "artifact-research", node_id: "research", checksum },
      { artifact_id: "artifact-retrieval", node_id: "retrieval", checksum },
    ]);
  });

  it("shows similar ideas with chunk and distance, five at most, short and masked", async () => {
    const long = { content: `call ann@mail.example\n${"word ".repeat(200)}` };
    const chunks = [
      chunk(long),
      chunk({ content: null }),
      ...Array.from({ length: 6 }, (_, at) => chunk({ chunk_id: `c${at}` })),
    ];
    const { similar } = await idea(work(alert("BUY BTCUSDT @ 100"), [retrieval(...chunks)]));
    expect(similar).toHaveLength(5);
    expect(similar[0]).toMatchObject({
      chunk_id: "chunk-1",
      task_id: "T-2025-09-20-0001",
      distance: 0.125,
    });
    expect(similar[0].excerpt).toMatch(/^call \[email\] word/);
    expect(similar[0].excerpt.length).toBeLessThanOrEqual(160);
    expect(similar[1].excerpt).toBe("");
  });

  it("turns an exit into an update that opens nothing", async () => {
    const update = await idea(work(alert("Exit long BTCUSDT @ 100")));
    expect(update).toMatchObject({
      kind: "update",
      side: "long",
      stop_loss: { origin: "unknown" },
    });
    expect(update.summary).toBe("Exit from the long position in BTCUSDT at 100; no new position.");
  });

  it("reads its inputs through its allowlisted tool, and gives the same bytes twice", async () => {
    const tools: string[] = [];
    const step = work(alert("BUY BTCUSDT @ 100 SL 99"), [
      input("research", "words"),
      retrieval(chunk()),
    ]);
    const first = await trader(step, context(tools));
    const second = await trader(structuredClone(step), context(tools));
    expect(tools).toEqual(["artifacts.read", "artifacts.read"]);
    expect(second.artifact!.content).toBe(first.artifact!.content);
  });
});
