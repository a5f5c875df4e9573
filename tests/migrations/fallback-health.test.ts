import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { household } from "../support/household.ts";
import { approvedSignal, fail } from "../support/line.ts";
import { administer } from "../support/personas.ts";

let db: TestDatabase;
let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await household(db);
  clock = await freezeClock(db, "2027-05-01T10:00:00.000Z");
  await db.owner("update public.jobs set next_run_at = '2027-05-01T10:00:00Z'");
  await db.owner(
    "update public.jobs set next_run_at = next_run_at + interval '7 days' where job_name = 'fallback_health'",
  );
  await db.database.call("sweep");
});
afterAll(() => db.close());

const findings = async () =>
  (await db.owner<{ found: string[] }>("select private.fallback_findings() as found"))[0].found;
const alerts = async () =>
  (await db.owner(
    "select 1 from public.alerts where code = 'fallback_unhealthy' and closed_at is null",
  )).length;

describe("the weekly look at the fallbacks", () => {
  it("finds nothing in a house where everything is in its place", async () => {
    expect(await findings()).toEqual([]);
  });

  it("finds a tool of the policy that has no breaker", async () => {
    await db.owner(
      `update public.policies set body = jsonb_set(body, '{tools,researcher}', '["artifacts.read", "news.read"]') where status = 'active'`,
    );
    expect(await findings()).toEqual(["news.read has no breaker"]);
    await db.owner(
      `update public.policies set body = jsonb_set(body, '{tools,researcher}', '["artifacts.read"]') where status = 'active'`,
    );
  });

  it("finds what waits although its tool is there, and a breaker that nobody closes", async () => {
    await administer(db, "trip_breaker('telegram.post', 'down', 'test')", []);
    const { work } = await approvedSignal(db);
    await fail(db, work, "breaker_open", { p_tool: "telegram.post" });
    await clock.advance(86_401);
    expect(await findings()).toContain("telegram.post has not been closed for more than a day");
    await db.owner("alter table public.circuit_breakers disable trigger user");
    await db.owner(
      "update public.circuit_breakers set state = 'closed', opened_at = null, first_opened_at = null where tool = 'telegram.post'",
    );
    await db.owner("alter table public.circuit_breakers enable trigger user");
    expect(await findings()).toContain(
      "1 steps have waited for telegram.post for more than an hour, and it is there",
    );
    await db.owner("select private.drain_fallback('telegram.post')");
  });

  it("finds that its jobs stand still, or ended badly", async () => {
    await clock.advance(7200);
    expect(await findings()).toEqual([
      "the job fill_retrieval_cache did not end well lately",
      "the job tend_breakers did not end well lately",
    ]);
    await db.database.call("sweep");
    expect(await findings()).toEqual([]);
  });

  it("runs once a week, writes down what it found, rings once and stops by itself", async () => {
    await db.owner("update public.jobs set enabled = false where job_name = 'tend_breakers'");
    await db.owner(
      "update public.jobs set next_run_at = private.now() where job_name = 'fallback_health'",
    );
    expect(await db.database.call("sweep")).toMatchObject({ fallback_health: 1 });
    expect(await alerts()).toBe(1);
    await clock.advance(604_799);
    expect(await db.database.call("sweep")).not.toHaveProperty("fallback_health");
    await db.owner("update public.jobs set enabled = true where job_name = 'tend_breakers'");
    await db.database.call("sweep");
    await clock.advance(1);
    expect(await db.database.call("sweep")).toMatchObject({ fallback_health: 0 });
    expect(await alerts()).toBe(0);
    const checks = await db.owner(
      "select healthy, findings from public.fallback_checks order by check_id",
    );
    expect(checks).toEqual([
      { healthy: false, findings: ["the job tend_breakers did not end well lately"] },
      { healthy: true, findings: [] },
    ]);
  });

  it("keeps what it wrote", async () => {
    await expect(db.owner("update public.fallback_checks set healthy = true"))
      .rejects.toMatchObject({ code: "AGHIS" });
    await expect(
      db.owner("insert into public.fallback_checks (healthy, findings) values (true, '[\"x\"]')"),
    ).rejects.toMatchObject({ constraint: "healthy_exactly_without_findings" });
  });
});
