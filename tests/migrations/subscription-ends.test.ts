import { describe, expect, it } from "vitest";
import { granted } from "../support/payments.ts";
import {
  buyer,
  clock,
  days,
  db,
  end,
  finish,
  join,
  queued,
  subscriptions,
} from "./subscription-scene.ts";

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
