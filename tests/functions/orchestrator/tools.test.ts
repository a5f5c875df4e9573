import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toolRunner } from "../../../functions/_agents/tool-runner.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { toolsFor } from "../../../functions/orchestrator/tools.ts";
import { freezeClock, type FrozenClock } from "../../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { activate, policy } from "../../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  clock = await freezeClock(db, "2026-03-01T12:00:00Z");
});
afterAll(() => db?.close());

const take = (tool: string) =>
  db.database.call<Record<string, unknown>>("take_tool_token", { p_tool: tool });
const code = (call: Promise<unknown>) =>
  call.then(() => "ran", (error) => error instanceof Refusal ? error.code : String(error));

describe("an agent's tools", () => {
  const calls: string[] = [];
  const asked: string[] = [];
  const tool = toolRunner({
    agent: "critic:guard-v4",
    allowed: ["artifacts.read", "llm.judge"],
    metered: { "llm.judge": 1 },
    take: (name) => Promise.resolve(asked.push(name) > 1 ? 7 : null),
  });
  const run = (name: string) => tool(name, () => Promise.resolve(calls.push(name)));

  it.each([
    "telegram.post",
    "LLM.JUDGE",
    "llm.judge ",
    "llm.judgе",
    "ｌｌｍ.judge",
    "llm.judge\u200b",
    "llm",
    "",
    "constructor",
    "__proto__",
    "toString",
    "0",
    "length",
  ])("are not %j, and it does not run", async (name) => {
    expect(await code(run(name))).toBe("tool_denied");
    expect(calls).not.toContain(name);
  });

  it("are not what is no name at all", async () => {
    const strange = ["llm.judge"] as unknown as string;
    expect(await code(run(strange))).toBe("tool_denied");
    expect(calls).toEqual([]);
  });

  it("run as often as a token is given, and not once more", async () => {
    expect(await code(run("llm.judge"))).toBe("ran");
    expect(await code(run("llm.judge"))).toBe("rate_limited");
    expect(calls).toEqual(["llm.judge"]);
  });

  it("ask nobody where they are not metered", async () => {
    const before = asked.length;
    expect(await code(run("artifacts.read"))).toBe("ran");
    expect(asked).toHaveLength(before);
  });
});

describe("tools of a step", () => {
  const counting = () => {
    const called: string[] = [];
    const database = {
      call: <T>(name: string, args?: Record<string, unknown>) => {
        called.push(name);
        return db.database.call<T>(name, args);
      },
      close: () => Promise.resolve(),
    };
    return { called, database };
  };
  const ran = () => Promise.resolve("done");

  it("are none for a class that the policy does not name, whatever an object inherits", async () => {
    const { database } = counting();
    for (const agent_class of ["stranger", "constructor", "__proto__", "toString"]) {
      const tool = toolsFor({ database, policy }, { agent: "x:v1", agent_class });
      expect(await code(tool("artifacts.read", ran))).toBe("tool_denied");
    }
  });

  it("cost no call of the database where nothing is metered", async () => {
    const { called, database } = counting();
    const tool = toolsFor({ database, policy }, {
      agent: "retriever:v1",
      agent_class: "retriever",
    });
    for (const name of policy.tools.retriever) expect(await tool(name, ran)).toBe("done");
    expect(called).toEqual([]);
  });

  it("run while the bucket lasts, then are refused rate_limited, and are back when time has passed", async () => {
    const { database } = counting();
    const tool = toolsFor({ database, policy }, { agent: "critic:v1", agent_class: "critic" });
    const limit = policy.rate_limits.tools["llm.judge"];
    const outcomes: string[] = [];
    for (let i = 0; i < limit + 5; i++) outcomes.push(await code(tool("llm.judge", ran)));
    expect(outcomes.filter((outcome) => outcome === "ran")).toHaveLength(limit);
    expect(outcomes.slice(limit)).toEqual(Array(5).fill("rate_limited"));
    await clock.advance(60 / limit);
    expect(await code(tool("llm.judge", ran))).toBe("ran");
    expect(await code(tool("llm.judge", ran))).toBe("rate_limited");
  });

  it("do not run when the database gives no clear answer", async () => {
    const vague = { call: () => Promise.resolve({}), close: () => Promise.resolve() };
    const tool = toolsFor({ database: vague as never, policy }, {
      agent: "critic:v1",
      agent_class: "critic",
    });
    expect(await code(tool("llm.judge", ran))).toBe("unavailable");
  });
});

describe("api.take_tool_token", () => {
  it("refuses what is no tool's name and makes no bucket for it", async () => {
    for (const name of ["", "A.b", "a b", "a.b.c", "x".repeat(80), "a;drop", "llm.judge\n"]) {
      expect(await take(name)).toMatchObject({ refused: "invalid_request" });
    }
    const odd = await db.owner<{ n: number }>(
      "select count(*)::int as n from private.rate_buckets where bucket !~ '^tool:[a-z_.]+$' and bucket like 'tool:%'",
    );
    expect(odd[0].n).toBe(0);
  });

  it("grants a tool that nobody counts", async () => {
    expect(await take("artifacts.read")).toEqual({ granted: true });
    const [row] = await db.owner<{ n: number }>(
      "select count(*)::int as n from private.rate_buckets where bucket = 'tool:artifacts.read'",
    );
    expect(row.n).toBe(0);
  });

  it("says how long to wait and leaves an audit row for each refusal", async () => {
    const limit = policy.rate_limits.tools["broker.order"];
    for (let i = 0; i < limit; i++) expect(await take("broker.order")).toEqual({ granted: true });
    const refused = await take("broker.order");
    expect(refused).toMatchObject({ refused: "rate_limited", retry_after: Math.ceil(60 / limit) });
    const audited = await db.owner<{ object: string }>(
      "select object from public.audit_logs where code = 'rate_limited' and object = 'tool:broker.order'",
    );
    expect(audited).toHaveLength(1);
  });

  it("keeps every tool's bucket apart", async () => {
    expect(await take("quotes.read")).toEqual({ granted: true });
  });

  it("is for the service alone", async () => {
    for (const role of ["anon", "authenticated", "auditor", "administrator"]) {
      await expect(db.as(role, "select api.take_tool_token('llm.judge')")).rejects.toThrow(
        /permission denied/,
      );
    }
  });
});
