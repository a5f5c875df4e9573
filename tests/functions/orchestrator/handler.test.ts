import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { randomUUID } from "node:crypto";
import { planner } from "../../../functions/_agents/planner.ts";
import type { Agent } from "../../../functions/_agents/agent.ts";
import { DatabaseError } from "../../../functions/_database/database.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { handle, type OrchestratorDeps, tick } from "../../../functions/orchestrator/handler.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  policy,
  policySha256,
  resultOf,
  statusOf,
} from "../../support/line.ts";
import { noOutside } from "../../support/outside.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());

const stub: Agent = (work) => Promise.resolve(resultOf(work) as Awaited<ReturnType<Agent>>);
let deps: OrchestratorDeps;
beforeEach(() => {
  deps = {
    ...noOutside,
    database: db.database,
    service_token: "service-token-of-the-test",
    policy: { ok: true, policy, sha256: policySha256 },
    agents: { planner, researcher: stub, retriever: stub, trader: stub, exec: stub, critic: stub },
    embed: () => Promise.resolve(Array(384).fill(0.05)),
    judge: null,
    worker: "test",
    now: () => new Date(),
    budget_ms: 5000,
  };
});

const read = () => accept(db, alertEvent(randomUUID(), { source: "desk", action: "READ" }));
const call = (token: string, path = "/functions/v1/orchestrator/tick", method = "POST") =>
  handle(
    new Request(`http://localhost${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
    }),
    deps,
  );
const step = async (taskId: unknown, node: string) =>
  (await db.owner<Record<string, unknown>>(
    "select status, last_code, failures from public.task_steps where task_id = $1 and node_id = $2",
    [taskId, node],
  ))[0];

describe("orchestrator/tick", () => {
  it("refuses a caller without the service token before anything runs", async () => {
    const { task_id } = await read();
    expect((await call("wrong")).status).toBe(401);
    expect(await statusOf(db, task_id as string)).toBe("created");
  });

  it("refuses another method and another path", async () => {
    expect((await call(deps.service_token, undefined, "GET")).status).toBe(405);
    expect((await call(deps.service_token, "/functions/v1/orchestrator/other")).status).toBe(404);
  });

  it("plans and runs nothing while its policy is unreadable, and says policy_invalid", async () => {
    const { task_id } = await read();
    deps.policy = { ok: false, reason: "approvals: missing" };
    const answer = await call(deps.service_token);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: "policy_invalid", claimed: 0 });
    expect(await statusOf(db, task_id as string)).toBe("created");
  });

  it("gives a step back unharmed while the bundled policy is not the active one", async () => {
    const { task_id } = await read();
    deps.policy = { ok: true, policy, sha256: "0".repeat(64) };
    await tick(deps);
    expect(await step(task_id, "plan")).toMatchObject({
      status: "ready",
      last_code: "policy_not_approved",
      failures: 0,
    });
    expect(await statusOf(db, task_id as string)).toBe("created");
  });

  it("runs a T0 task from intake to archive in one tick", async () => {
    const { task_id } = await read();
    const answer = await call(deps.service_token);
    expect(answer.status).toBe(200);
    expect(await statusOf(db, task_id as string)).toBe("archived");
  });

  it("runs a T2 signal to its gate and stores the post that would be published", async () => {
    const { task_id } = await accept(db, alertEvent(randomUUID()));
    deps.agents = {
      ...deps.agents,
      trader: () =>
        Promise.resolve({
          artifact: {
            type: "idea",
            media_type: "application/json",
            content: JSON.stringify({
              kind: "entry",
              symbol: "BTCUSDT",
              side: "long",
              entry: { value: "67000", origin: "alert", rule: null },
              summary: "BTCUSDT long",
            }),
          },
        }),
    };
    await tick(deps);
    expect(await statusOf(db, task_id as string)).toBe("awaiting_approval");
    const [post] = await db.owner<{ content: string }>(
      "select content from public.artifacts where task_id = $1 and type = 'post'",
      [task_id],
    );
    expect(post.content).toContain("67000");
  });

  it("refuses a tool that the agent's allowlist does not name, and the task fails with tool_denied", async () => {
    const { task_id } = await read();
    deps.agents = {
      ...deps.agents,
      retriever: (work, context) => context.tool("telegram.post", () => stub(work, context)),
    };
    await tick(deps);
    expect(await step(task_id, "retrieve")).toMatchObject({
      status: "failed",
      last_code: "tool_denied",
    });
    expect(await statusOf(db, task_id as string)).toBe("failed");
    const audited = await db.owner(
      "select 1 from public.audit_logs where task_id = $1 and code = 'tool_denied'",
      [task_id],
    );
    expect(audited).toHaveLength(1);
  });

  it("rejects a task whose agent says that data is missing", async () => {
    const { task_id } = await accept(db, alertEvent(randomUUID()));
    deps.agents = {
      ...deps.agents,
      trader: () => Promise.reject(new Refusal("insufficient_data")),
    };
    await tick(deps);
    expect(await statusOf(db, task_id as string)).toBe("rejected");
  });

  it("tries a step that throws again, three times in all", async () => {
    const { task_id } = await read();
    deps.agents = {
      ...deps.agents,
      retriever: () => Promise.reject(new Error("connection reset")),
    };
    // A pause of chance may be over within the tick; here each attempt is to be seen.
    await db.owner(
      "create or replace function private.retry_pause(p_failures integer) returns interval language sql volatile set search_path = '' as $$ select interval '1 hour' $$",
    );
    for (let attempt = 1; attempt <= 3; attempt++) {
      await db.owner(
        "update public.task_steps set run_at = now() - interval '1 s' where status = 'ready'",
      );
      await tick(deps);
      expect(await step(task_id, "retrieve")).toMatchObject({
        failures: Math.min(attempt, 2),
        status: attempt < 3 ? "ready" : "failed",
      });
    }
    expect(await statusOf(db, task_id as string)).toBe("failed");
  });

  it("gives a step back unharmed that met a quarrel over rows", async () => {
    const { task_id } = await read();
    const quarrel = new DatabaseError("40P01", "deadlock detected");
    deps.agents = { ...deps.agents, retriever: () => Promise.reject(quarrel) };
    await tick(deps);
    expect(await step(task_id, "retrieve")).toMatchObject({
      status: "ready",
      failures: 0,
    });
  });

  it("shares the work between ticks that run at once, and does each step once", async () => {
    const tasks = await Promise.all(Array.from({ length: 8 }, read));
    await Promise.all([tick(deps), tick(deps), tick(deps)]);
    for (const { task_id } of tasks) expect(await statusOf(db, task_id as string)).toBe("archived");
    const done = await db.owner<{ n: number }>(
      "select count(*)::int as n from public.events where type = 'STEP_DONE' and task_id = any ($1) group by task_id, idempotency_key having count(*) > 1",
      [tasks.map(({ task_id }) => task_id)],
    );
    expect(done).toEqual([]);
  });
});
