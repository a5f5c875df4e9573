import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { archive, claim, confirm, handle, statusOf, update } from "../support/line.ts";
import {
  approvedAccess,
  checked,
  granted,
  openHouse,
  quote,
  reserveAccess,
  vipChat,
} from "../support/payments.ts";

let db: TestDatabase;
let clock: FrozenClock;
let accounts = 882000;
const days = 86_400;
beforeAll(async () => {
  db = await openTestDatabase();
  clock = await freezeClock(db, "2026-11-22T10:00:00.000Z");
  await openHouse(db);
});
afterAll(() => db?.close());

async function buyer(): Promise<string> {
  const id = String(++accounts);
  await checked(db, id);
  return id;
}

const subscriptions = (user: string) =>
  db.owner<Record<string, unknown>>(
    `select status, private.iso(starts_at) as starts_at, private.iso(expires_at) as expires_at, task_id, removal_job_id, removed_at, chat_id
     from public.user_subscriptions where user_ref = $1 order by created_at, starts_at`,
    [`telegram:${user}`],
  );
const queued = (kind: string, user: string) =>
  db.owner<{ status: string; last_error: string | null; task_id: string }>(
    `select status, last_error, task_id from public.notifications
     where kind = $1 and payload_json ->> 'user_id' = $2 order by seq`,
    [kind, user],
  );
const join = (user: string, chat_id = vipChat, more: Record<string, unknown> = {}) =>
  handle(
    db,
    update(user, { type: "join", chat_id, user_id: user }, {
      kind: "chat_join_request",
      chat_id,
      vip_chat_id: vipChat,
      ...more,
    }),
  );
const end = async (): Promise<number> =>
  Number(
    (await db.owner<{ n: number }>("select private.end_subscriptions() as n"))[0].n,
  );
const finish = (kind: string, user: string, status: string, error: string | null = null) =>
  db.owner(
    `update public.notifications set status = $3::text, last_error = $4, sent_at = case when $3 = 'sent' then private.now() end
     where kind = $1 and payload_json ->> 'user_id' = $2 and status = 'queued'`,
    [kind, user, status, error],
  );

describe("a granted access", () => {
  it("begins with nothing before the effect is confirmed", async () => {
    const user = await buyer();
    const { work, grant } = await approvedAccess(db, user);
    await quote(db, "3.2");
    await reserveAccess(db, work, grant);
    expect(await subscriptions(user)).toEqual([]);
    expect((await join(user)).refused).toBe("forbidden");
  });

  it("runs from the grant for the days of its plan, and its buyer is sent the link", async () => {
    const user = await buyer();
    const { taskId } = await granted(db, user);
    expect(await subscriptions(user)).toMatchObject([{
      status: "active",
      starts_at: "2026-11-22T10:00:00.000Z",
      expires_at: "2026-12-22T10:00:00.000Z",
      task_id: taskId,
      chat_id: vipChat,
    }]);
    const [told] = await db.owner(
      `select payload_json from public.notifications where recipient = $1 and payload_json ->> 'reply' = 'access_granted'`,
      [user],
    );
    expect(told.payload_json).toEqual({
      reply: "access_granted",
      plan: "vip-30",
      expires_at: "2026-12-22T10:00:00.000Z",
      invite_link: "https://t.me/+link",
    });
    const trail = await db.owner(
      `select object, before_json ->> 'status' as was, after_json ->> 'status' as became from public.audit_logs
       where task_id = $1 and (object like 'order:%' or object like 'subscription:%') and action = 'effect.confirm' order by id`,
      [taskId],
    );
    expect(trail).toMatchObject([{ was: "paid", became: "granted" }, { became: "active" }]);
  });

  it("lives on when its task is archived", async () => {
    const user = await buyer();
    const { taskId } = await granted(db, user);
    const step = (await claim(db, ["orchestrator"])).find(({ task_id }) => task_id === taskId);
    await archive(db, step!);
    expect(await statusOf(db, taskId)).toBe("archived");
    expect((await join(user)).refused).toBeUndefined();
    expect(await queued("join_approval", user)).toMatchObject([{ status: "queued" }]);
  });

  it("is granted by a person's word too, where the answer was not seen", async () => {
    const user = await buyer();
    const { taskId, work, grant } = await approvedAccess(db, user);
    await quote(db, "3.2");
    const { effect_id } = await reserveAccess(db, work, grant);
    await db.database.call("start_effect", {
      p_effect_id: effect_id,
      p_attempt: work.attempt,
      p_lease_token: work.lease_token,
    });
    await confirm(db, effect_id, work, "unknown", { error: "?" });
    expect(await statusOf(db, taskId)).toBe("paused");
    expect(await subscriptions(user)).toEqual([]);
    await db.as(
      "administrator",
      "select api.settle_effect($1, 'confirmed', 'the link is there', 'cli:ada')",
      [
        effect_id,
      ],
    );
    expect(await subscriptions(user)).toMatchObject([{ status: "active" }]);
  });
});

/** A group that somebody else keeps. */
const other = "-1009999999999";

describe("a request to join", () => {
  it.each([
    ["a stranger", "889999"],
    ["a member of the house who paid nothing", "1002"],
  ])("of %s is refused, with a row", async (_, user) => {
    expect((await join(user)).refused).toBe("forbidden");
    expect(await queued("join_refusal", user)).toMatchObject([{ status: "queued" }]);
    expect(await queued("join_approval", user)).toEqual([]);
  });

  it("of the buyer counts at the granted door alone", async () => {
    const user = await buyer();
    await granted(db, user);
    expect((await join(user, other, { vip_chat_id: other })).refused).toBe("forbidden");
    expect(await queued("join_approval", user)).toEqual([]);
  });

  it.each([
    ["another group", other, vipChat],
    ["a house without a group of its own", vipChat, null],
  ])("is recorded and left alone at a door that is not ours: %s", async (_, chat, vip_chat_id) => {
    const user = await buyer();
    await granted(db, user);
    for (const who of [user, "889998"]) {
      expect(await join(who, chat, { vip_chat_id })).toMatchObject({
        outcome: "recorded",
        join: "not_ours",
      });
      expect(await queued("join_refusal", who)).toEqual([]);
      expect(await queued("join_approval", who)).toEqual([]);
    }
  });

  it("is refused once while the refusal waits", async () => {
    for (let again = 0; again < 3; again++) await join("889997");
    expect(await queued("join_refusal", "889997")).toHaveLength(1);
  });

  it("of the buyer is approved once per update, and once while it waits", async () => {
    const user = await buyer();
    const { taskId } = await granted(db, user);
    await join(user);
    await join(user);
    expect(await queued("join_approval", user)).toEqual([
      { status: "queued", last_error: null, task_id: taskId },
    ]);
  });
});

describe("the end of a subscription", () => {
  it("comes at its time and not a millisecond before; a second run finds nothing", async () => {
    await end();
    const user = await buyer();
    await granted(db, user);
    await clock.advance(30 * days - 0.001);
    await end();
    expect(await subscriptions(user)).toMatchObject([{ status: "active" }]);
    await clock.advance(0.001);
    expect(await end()).toBeGreaterThan(0);
    expect(await subscriptions(user)).toMatchObject([{ status: "expired" }]);
    expect(await queued("removal", user)).toMatchObject([{ status: "queued" }]);
    for (let again = 0; again < 3; again++) expect(await end()).toBe(0);
    expect(await queued("removal", user)).toHaveLength(1);
    expect((await join(user)).refused).toBe("forbidden");
  });

  it("is on record when the removal was carried out", async () => {
    const user = await buyer();
    await granted(db, user);
    await clock.advance(30 * days);
    await end();
    await finish("removal", user, "sent");
    await end();
    expect((await subscriptions(user))[0].removed_at).not.toBeNull();
  });

  it("is a person's work when the removal failed, told once", async () => {
    const user = await buyer();
    await granted(db, user);
    await clock.advance(30 * days);
    await end();
    await finish("removal", user, "failed", "400: not enough rights");
    for (let again = 0; again < 3; again++) await end();
    const alerts = await db.owner(
      `select a.severity, a.seen, a.value from public.alerts a join public.user_subscriptions s on a.subject = 'subscription:' || s.id
       where s.user_ref = $1`,
      [`telegram:${user}`],
    );
    expect(alerts).toEqual([{ severity: "critical", seen: 1, value: "400: not enough rights" }]);
  });

  it("does not put out who renewed: the days are added to those that are left", async () => {
    const user = await buyer();
    await granted(db, user);
    await clock.advance(10 * days);
    await granted(db, user);
    const [first, second] = await subscriptions(user);
    expect(first.status).toBe("renewed");
    expect(second).toMatchObject({ status: "active", starts_at: first.expires_at });
    await clock.advance(20 * days);
    await end();
    expect(await queued("removal", user)).toEqual([]);
    await clock.advance(30 * days);
    await end();
    expect(await queued("removal", user)).toHaveLength(1);
    expect((await subscriptions(user)).map(({ status }) => status)).toEqual(["renewed", "expired"]);
  });

  it("takes a queued removal back from who renews late", async () => {
    const user = await buyer();
    await granted(db, user);
    await clock.advance(30 * days);
    await end();
    await granted(db, user);
    expect(await queued("removal", user)).toMatchObject([{
      status: "failed",
      last_error: "renewed before it was carried out",
    }]);
    await end();
    const rows = await subscriptions(user);
    expect(rows).toMatchObject([{ status: "expired", removal_job_id: null }, { status: "active" }]);
    expect(rows[1].starts_at).toBe(
      (await db.owner<{ at: string }>("select private.iso(private.now()) as at"))[0].at,
    );
  });

  it("takes a queued approval back, and waits for one that is on its way", async () => {
    const user = await buyer();
    await granted(db, user);
    await join(user);
    await clock.advance(30 * days);
    await db.owner(
      `update public.notifications set status = 'sending', lease_expires_at = private.now() + interval '1 minute'
       where kind = 'join_approval' and payload_json ->> 'user_id' = $1`,
      [user],
    );
    await end();
    expect(await subscriptions(user)).toMatchObject([{ status: "active" }]);
    await db.owner(
      `update public.notifications set status = 'queued', lease_expires_at = null
       where kind = 'join_approval' and payload_json ->> 'user_id' = $1`,
      [user],
    );
    await end();
    expect(await queued("join_approval", user)).toMatchObject([{
      status: "failed",
      last_error: "the subscription ended first",
    }]);
    expect(await subscriptions(user)).toMatchObject([{ status: "expired" }]);
  });

  it("waits for an approval that is on its way under an earlier grant, too", async () => {
    const user = await buyer();
    await granted(db, user);
    await join(user);
    await clock.advance(days);
    await granted(db, user);
    await db.owner(
      `update public.notifications set status = 'sending', lease_expires_at = private.now() + interval '1 minute'
       where kind = 'join_approval' and payload_json ->> 'user_id' = $1`,
      [user],
    );
    await clock.advance(60 * days);
    await end();
    expect((await subscriptions(user)).map(({ status }) => status)).toEqual(["renewed", "active"]);
    expect(await queued("removal", user)).toEqual([]);
    await db.owner(
      `update public.notifications set status = 'sent', lease_expires_at = null, sent_at = private.now()
       where kind = 'join_approval' and payload_json ->> 'user_id' = $1`,
      [user],
    );
    await end();
    expect(await queued("removal", user)).toHaveLength(1);
  });

  it("looks for an approval on its way after it has waited for the claim, not before", async () => {
    const user = await buyer();
    await granted(db, user);
    await join(user);
    await db.owner(
      `update public.notifications set status = 'sending', lease_expires_at = private.now() + interval '1 minute'
       where kind = 'join_approval' and payload_json ->> 'user_id' = $1`,
      [user],
    );
    const [{ ended }] = await db.owner<{ ended: boolean }>(
      "select private.end_subscription(s) as ended from public.user_subscriptions s where s.user_ref = $1",
      [`telegram:${user}`],
    );
    expect(ended).toBe(false);
    expect(await subscriptions(user)).toMatchObject([{ status: "active" }]);
  });

  it("puts nobody out who renewed while a worker that died held the removal", async () => {
    const user = await buyer();
    await granted(db, user);
    await clock.advance(30 * days);
    await end();
    const claimed = async () => {
      const kinds: string[] = [];
      for (;;) {
        const work = await db.database.call<{ kind: string; payload: { user_id?: string } }[]>(
          "claim_notifications",
          { p_worker: "t", p_limit: 100 },
        );
        if (work.length === 0) return kinds;
        kinds.push(...work.filter(({ payload }) => payload.user_id === user).map((w) => w.kind));
      }
    };
    expect(await claimed()).toEqual(["removal"]);
    await granted(db, user);
    await join(user);
    await clock.advance(61);
    expect(await claimed()).toEqual(["join_approval"]);
    expect(await queued("removal", user)).toMatchObject([{
      status: "failed",
      last_error: "renewed meanwhile",
    }]);
    await end();
    expect(await subscriptions(user)).toMatchObject([
      { status: "expired", removal_job_id: null },
      { status: "active" },
    ]);
    expect(
      await db.owner(
        `select 1 from public.alerts a join public.user_subscriptions s on a.subject = 'subscription:' || s.id
         where s.user_ref = $1`,
        [`telegram:${user}`],
      ),
    ).toEqual([]);
  });

  it("is one of the jobs, every minute", async () => {
    const [job] = await db.owner(
      "select every_seconds, enabled from public.jobs where job_name = 'end_subscriptions'",
    );
    expect(job).toEqual({ every_seconds: 60, enabled: true });
    await clock.advance(120);
    const swept = await db.database.call<Record<string, unknown>>("sweep");
    expect(swept).toHaveProperty("end_subscriptions");
  });
});
