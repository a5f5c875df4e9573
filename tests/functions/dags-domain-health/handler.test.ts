import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { handle, type HealthDeps } from "../../../functions/dags-domain-health/handler.ts";
import { parts } from "../../../functions/dags-domain-health/findings.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { activatePolicy, addMembers, administer } from "../../support/personas.ts";

let db: TestDatabase;
let deps: HealthDeps;

beforeAll(async () => {
  db = await openTestDatabase();
  const policy_sha256 = await activatePolicy(db);
  deps = {
    database: db.database,
    service_token: "service-token",
    policy_sha256,
    mirror_configured: false,
    now: () => new Date(),
  };
});
afterAll(() => db?.close());

async function ask(changed: Partial<HealthDeps> = {}, token?: string, query = "", method = "GET") {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const request = new Request(`http://x/dags-domain-health${query}`, { headers, method });
  const response = await handle(request, { ...deps, ...changed });
  return { status: response.status, body: await response.json() };
}
const details = async (changed: Partial<HealthDeps> = {}) =>
  (await ask(changed, "service-token")).body;

const beat = (status: string) =>
  db.database.call("beat", { p_worker: "w-1", p_beats: [{ agent_class: "exec", status }] });

const plant = (key: string) =>
  db.owner("insert into public.one_drive_assets (object_key) values ($1)", [key]);
const empty = () => db.owner("delete from public.one_drive_assets");

describe("dags-domain-health", () => {
  it("takes GET alone and knows one domain", async () => {
    expect((await ask({}, undefined, "", "POST")).status).toBe(405);
    expect((await ask({}, undefined, "?domain=cats")).status).toBe(404);
  });

  it("tells a stranger the status and nothing else, whatever token is shown", async () => {
    for (const token of [undefined, "wrong"]) {
      expect(Object.keys((await ask({}, token)).body)).toEqual(["status", "observed_at"]);
    }
  });

  it("is unhealthy and still answers when the database is lost, and knows nothing of the rest", async () => {
    const database = {
      call: () => Promise.reject(new Refusal("unavailable")),
      close: () => Promise.resolve(),
    };
    const { status, body } = await ask({ database }, "service-token");
    expect([status, body.status, body.database.status]).toEqual([503, "unhealthy", "unhealthy"]);
    expect(Object.keys(body)).toEqual(Object.keys(await details()));
    for (const part of parts) {
      expect([part, body[part].status]).toEqual([
        part,
        part === "database" ? "unhealthy" : "unknown",
      ]);
      expect(Date.parse(body[part].observed_at), part).not.toBeNaN();
    }
  });

  it("is unhealthy when the bundled policy is not the active one, or cannot be read", async () => {
    for (const policy_sha256 of ["0".repeat(64), null]) {
      const { status, body } = await ask({ policy_sha256 }, "service-token");
      expect([status, body.policy.status]).toEqual([503, "unhealthy"]);
      expect(body.policy).toMatchObject({ bundled: policy_sha256, active: deps.policy_sha256 });
    }
  });

  it("does not know a mirror that was never set up: unknown, 200, not healthy", async () => {
    await empty();
    const { status, body } = await ask({}, "service-token");
    expect([status, body.status, body.mirror.status]).toEqual([200, "unknown", "unknown"]);
  });

  it("is unhealthy when the mirror is set up and empty", async () => {
    await empty();
    const { status, body } = await ask({ mirror_configured: true }, "service-token");
    expect([status, body.mirror.status]).toEqual([503, "unhealthy"]);
  });

  it("does not count what is mirrored under another prefix", async () => {
    await empty();
    await plant("invoices/dags/1.json");
    expect(await ask()).toMatchObject({ status: 503, body: { status: "unhealthy" } });
    await empty();
  });

  it("shows a sample of what is mirrored", async () => {
    await plant("dags/T-2025-09-28-0012.json");
    const { mirror } = await details();
    expect(mirror).toMatchObject({
      status: "healthy",
      prefix: "dags/",
      assets: 1,
      sample: { object_key: "dags/T-2025-09-28-0012.json" },
    });
    await empty();
  });

  it("is degraded, and serves, when its clock is more than two seconds off", async () => {
    for (const off of [-2_600, 2_600]) {
      const { status, body } = await ask(
        { now: () => new Date(Date.now() + off) },
        "service-token",
      );
      expect([status, body.status, body.clock.status]).toEqual([200, "degraded", "degraded"]);
    }
    expect((await details({ now: () => new Date(Date.now() + 900) })).clock.status).toBe("healthy");
  });

  it("does not call members healthy while there are none: nobody can decide", async () => {
    await plant("dags/T-2025-09-28-0012.json");
    const { status, members } = await details();
    expect([status, members.status, members.active]).toEqual(["unknown", "unknown", 0]);
    await empty();
  });

  it("is degraded when a request waits and nobody is there to decide it", async () => {
    const database = {
      call: async <T>(name: string, args?: Record<string, unknown>) => {
        const seen = await db.database.call<{ open: object }>(name, args);
        return { ...seen, open: { ...seen.open, requests_open: 1 } } as T;
      },
      close: () => Promise.resolve(),
    };
    const { status, body } = await ask({ database }, "service-token");
    expect([status, body.status, body.members.status]).toEqual([200, "degraded", "degraded"]);
  });

  /** The database's own answer, with another word about emergencies. */
  const saying = (emergency: object | undefined) => ({
    call: async <T>(name: string, args?: Record<string, unknown>) => {
      const seen = await db.database.call<{ emergency: object }>(name, args);
      return { ...seen, emergency: emergency && { ...seen.emergency, ...emergency } } as T;
    },
    close: () => Promise.resolve(),
  });

  it.each([
    { all: "stopped" },
    { t3: "stopped" },
    { t3: "unknown" },
    { critical_alerts: 1 },
    { overdue_secrets: 2 },
    { effects_held: 1 },
  ])("is degraded, and serves, with %j", async (change) => {
    const { status, body } = await ask({ database: saying(change) }, "service-token");
    expect([status, body.status, body.emergency.status]).toEqual([200, "degraded", "degraded"]);
    expect(body.emergency).toMatchObject(change);
  });

  it("does not know of emergencies where the database says nothing of them", async () => {
    const { emergency } = await details({ database: saying(undefined) });
    expect(emergency.status).toBe("unknown");
  });

  it("tells of stops, alerts, secrets and what is held as they are", async () => {
    const running = {
      all: "running",
      t3: "running",
      t3_execution: "off",
      critical_alerts: 0,
      pending_policy: 0,
      overdue_secrets: 0,
      effects_held: 0,
    };
    expect((await details()).emergency).toMatchObject({ status: "healthy", ...running });
    await db.owner("select private.raise_alert('probe', 'warning', 'this test', null, null, null)");
    expect((await details()).emergency).toMatchObject({ critical_alerts: 0 });
    await db.owner(
      "select private.raise_alert('probe', 'critical', 'a worse one', '1', '0', null)",
    );
    await db.as("administrator", "select api.stop('t3', 'a probe', 'test')");
    await db.owner(
      "update public.secret_rotations set known_since = now() - interval '91 days', due_at = now() - interval '1 day' where name = 'LLM_API_KEY'",
    );
    expect((await details()).emergency).toMatchObject({
      status: "degraded",
      t3: "stopped",
      critical_alerts: 1,
      overdue_secrets: 1,
    });
    await db.owner("delete from public.emergency_stops where scope = 'all'");
    expect((await details()).emergency.all).toBe("unknown");
    await db.owner(
      "insert into public.emergency_stops (scope, state, changed_by, reason) values ('all', 'running', 'test', 'back')",
    );
    await db.owner("update public.emergency_stops set state = 'running'");
    await db.owner("update public.alerts set closed_at = now()");
    await db.owner("update public.secret_rotations set due_at = now(), known_since = now()");
    await db.owner("update public.secret_rotations set due_at = now() + interval '90 days'");
  });

  it("does not call it healthy that nobody has said lately that it works", async () => {
    expect((await details()).reliability).toMatchObject({ status: "unknown", workers: 0 });
    await beat("idle");
    expect((await details()).reliability).toMatchObject({ status: "healthy", workers: 1 });
    await db.owner("update public.agent_heartbeats set beat_at = beat_at - interval '31 seconds'");
    expect((await details()).reliability).toMatchObject({ status: "unknown", workers: 0 });
  });

  it.each([
    ["a breaker that is open", "trip_breaker('quotes.read', 'down', 'cli:jane')", {
      breakers: [{ tool: "quotes.read", state: "open" }],
    }, "reset_breaker('quotes.read', 'up', 'cli:jane')"],
    [
      "a consumer that somebody paused",
      "pause_consumer('orchestrator', 'cli:jane', 'a look')",
      { paused: [{ consumer: "orchestrator", reason: "a look" }] },
      "resume_consumer('orchestrator', 'cli:jane', 'looked')",
    ],
  ])("is degraded by %s, and names it", async (_, command, shown, undo) => {
    await beat("idle");
    await administer(db, command);
    expect((await details()).reliability).toMatchObject({ status: "degraded", ...shown });
    await administer(db, undo);
    expect((await details()).reliability).toMatchObject({ status: "healthy" });
  });

  it("is healthy only where every part is", async () => {
    await beat("idle");
    await addMembers(db, "olivia");
    await plant("dags/T-2025-09-28-0012.json");
    await db.owner("update public.jobs set last_run_at = now(), last_status = 'ok'");
    const { status, ...seen } = await details({ redis: () => Promise.resolve("up") });
    expect(parts.filter((part) => seen[part].status !== "healthy")).toEqual([]);
    expect(status).toBe("healthy");
    expect((await details({ redis: () => Promise.resolve("down") })).status).toBe("degraded");
    // Nothing depends on a Redis that was never set up; it is shown as what it is.
    const without = await details();
    expect([without.status, without.redis]).toMatchObject([
      "healthy",
      { status: "unknown", state: "unknown" },
    ]);
    await empty();
  });

  it("answers 200 and says that Redis is down, for nothing is lost without it", async () => {
    const { status, body } = await ask({ redis: () => Promise.resolve("down") }, "service-token");
    expect([status, body.redis]).toMatchObject([200, { status: "degraded", state: "down" }]);
  });

  it("is degraded, and names them, when the bot cannot reach a member", async () => {
    await addMembers(db, "petra");
    await db.owner(
      "update public.members set unreachable_since = now(), unreachable_reason = 'blocked the bot' where name = 'petra'",
    );
    const { members } = await details();
    expect(members).toMatchObject({
      status: "degraded",
      unreachable: [{ name: "petra", reason: "blocked the bot" }],
    });
    await db.owner("update public.members set unreachable_since = null, unreachable_reason = null");
  });

  it("gives every part a status and a time, and the tables their counts", async () => {
    const { status, observed_at, ...seen } = await details();
    expect(Date.parse(observed_at)).not.toBeNaN();
    expect(status).toEqual(expect.any(String));
    expect(Object.keys(seen)).toEqual([...parts]);
    for (const part of parts) {
      expect(seen[part].status, part).toMatch(/^(healthy|degraded|unknown|unhealthy)$/);
      expect(Date.parse(seen[part].observed_at), part).not.toBeNaN();
    }
    expect(seen.tables.counts).toMatchObject({ tasks: 0, one_drive_assets: 0 });
  });
});
