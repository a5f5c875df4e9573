import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { toolFailure } from "../../../../scripts/ags/runbooks/tool-failure.ts";
import { behindBreaker } from "../../../../functions/_domain/breaker.ts";
import { breakersOf } from "../../../../functions/_database/breakers.ts";
import { announcement } from "../../../../functions/_domain/notification.ts";
import { announcementText } from "../../../../functions/_domain/reply.ts";
import { openTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { activate, addMember } from "../../../support/line.ts";
import { everyTable, options, runbookScene, trail } from "./scene.ts";

const tool = "quotes.read";
const token = `bot${"1234567"}:${"AAH-x".repeat(7)}`;
let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());

const breaker = async () =>
  (await db.owner<{ state: string }>("select state from public.circuit_breakers where tool = $1", [
    tool,
  ]))[0].state;
const fail = () =>
  db.database.call("report_call", {
    p_tool: tool,
    p_probe: null,
    p_outcome: "failure",
    p_error: `HTTP 502 for ${token}`,
  });

beforeEach(async () => {
  await db.owner("delete from public.tool_timeouts");
  await runbookScene(db).deps.administer("reset_breaker", {
    p_tool: tool,
    p_reason: "a new test",
    p_actor: "test",
  });
  for (let i = 0; i < 2; i++) await fail();
});

describe("a timeout is not set", () => {
  const tighten = (p_tool: string, p_timeout_ms: number, p_hours: number) =>
    runbookScene(db).deps.administer("tighten_timeout", {
      p_tool,
      p_timeout_ms,
      p_hours,
      p_reason: "slow",
      p_actor: "olga",
    });
  it.each([["broker.order", 500, 1], [tool, 100, 1], [tool, 6000, 1], [tool, 500, 0], [
    tool,
    500,
    200,
  ]])(
    "for %s at %i ms for %i hours",
    async (p_tool, ms, hours) => {
      expect(await tighten(p_tool, ms, hours)).toMatchObject({ refused: "invalid_request" });
    },
  );

  it("past the command either", async () => {
    await expect(db.owner(
      "insert into public.tool_timeouts (tool, timeout_ms, reason, set_by, expires_at) values ('broker.order', 500, 'x', 'x', now() + interval '1 hour')",
    )).rejects.toThrow("tightened_and_not_loosened");
    await expect(db.owner(
      "insert into public.tool_timeouts (tool, timeout_ms, reason, set_by, expires_at) values ('ton.read', 500, 'x', 'x', now() + interval '8 days')",
    )).rejects.toThrow("tightened_for_at_most_a_week");
  });
});

describe("a rehearsal of tool-failure", () => {
  it("asks nobody, calls nothing and changes no row", async () => {
    const before = await everyTable(db);
    const { deps, said } = runbookScene(db);
    deps.canary = () => Promise.reject(new Error("nothing is called in a rehearsal"));
    await toolFailure(deps, options({ dryRun: true, tool }));
    expect(await everyTable(db)).toEqual(before);
    expect(said.join("\n")).toContain(`would: leave ${tool} alone`);
  });
});

describe("tool-failure", () => {
  it("that is declined leaves the breaker as it was, and the no on record", async () => {
    const { deps } = runbookScene(db, () => false);
    await toolFailure(deps, options({ tool }));
    expect(await breaker()).toBe("closed");
    expect((await trail(db, deps.runId)).map(({ outcome }) => outcome)).not.toContain("done");
  });

  it("leaves a tool alone whose canary does not come back, and says so", async () => {
    const { deps, said } = runbookScene(db);
    deps.canary = () =>
      Promise.resolve({ asked: true, good: false, said: "binance answered with 502." });
    await toolFailure(deps, options({ tool }));
    expect(await breaker()).toBe("open");
    expect(said.join("\n")).toContain("stays as it is");
    expect((await trail(db, deps.runId)).map(({ outcome }) => outcome)).toContain("failed");
  });

  it("trips, tells people with masked pairs, sends a canary, resets, and tightens the timeout", async () => {
    const { deps, said } = runbookScene(db);
    await toolFailure(deps, options({ tool }));
    expect(await breaker()).toBe("closed");
    const [{ payload_json }] = await db.owner<{ payload_json: unknown }>(
      "select payload_json from public.notifications where payload_json ->> 'topic' = 'tool_failure' order by seq desc limit 1",
    );
    const text = announcementText(announcement.parse(payload_json));
    expect(text).toContain("quotes.read fails and is left alone by cli:olga");
    expect(text).toContain("HTTP 502 for");
    for (const place of [text, JSON.stringify(payload_json), said.join("\n")]) {
      expect(place).not.toContain("AAH-x");
    }
    const leaked = await db.owner(
      "select 1 from public.audit_logs where object in ($1, 'tool:quotes.read') and after_json::text like '%AAH-x%'",
      [`runbook:${deps.runId}`],
    );
    expect(leaked).toEqual([]);
    expect(said.join("\n")).toMatch(/quotes\.read: 5000 ms before, 2500 ms until 2/);
    const again = runbookScene(db);
    await toolFailure(again.deps, options({ tool }));
    expect(again.said.join("\n")).toContain("is waited for 2500 ms already");
  });

  it("cuts calls short from then on, and no longer once the time is over", async () => {
    await runbookScene(db).deps.administer("tighten_timeout", {
      p_tool: tool,
      p_timeout_ms: 250,
      p_hours: 1,
      p_reason: "slow",
      p_actor: "olga",
    });
    const breakers = breakersOf({ database: db.database, now: () => new Date() });
    const slow = () => new Promise<string>((resolve) => setTimeout(() => resolve("a price"), 600));
    await expect(behindBreaker(breakers, tool, slow)).rejects.toThrow("no answer within 250 ms");
    await db.owner(
      "update public.tool_timeouts set set_at = set_at - interval '2 hours', expires_at = expires_at - interval '2 hours'",
    );
    expect(await behindBreaker(breakers, tool, slow)).toBe("a price");
  });
});
