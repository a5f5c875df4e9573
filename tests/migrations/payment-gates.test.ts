import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { fail, start, statusOf } from "../support/line.ts";
import {
  approvedAccess,
  check,
  checked,
  forgedAccess,
  granted,
  openHouse,
  override,
  paidAtGate,
  quote,
  reserveAccess,
} from "../support/payments.ts";

let db: TestDatabase;
let clock: FrozenClock;
let accounts = 880100;
beforeAll(async () => {
  db = await openTestDatabase();
  clock = await freezeClock(db, new Date().toISOString());
  await openHouse(db);
});
afterAll(() => db?.close());

/** A buyer whose checklist is complete, approved and leased. */
async function approved(options: { nano?: string; change?: Record<string, string> } = {}) {
  const buyer = String(++accounts);
  await checked(db, buyer);
  return { buyer, ...await approvedAccess(db, buyer, options) };
}

const refusedWith = async (
  { work, grant }: Awaited<ReturnType<typeof approved>>,
  more: Record<string, unknown> = {},
) => (await reserveAccess(db, work, grant, more)).refused;

describe("the gates of a payment", () => {
  it("refuse without a fresh price of a source that the policy names", async () => {
    const access = await approved();
    await clock.advance(3600);
    expect(await refusedWith(access)).toBe("quote_stale");
    await quote(db, "3.2", 0, { source: "somewhere" });
    await quote(db, "3.2", 0, { symbol: "BTCUSDT" });
    await quote(db, "3.2", 30.001);
    await quote(db, "3.2", -60);
    expect(await refusedWith(access)).toBe("quote_stale");
    await quote(db, "3.2", 30);
    expect(await refusedWith(access)).toBeUndefined();
  });

  it("let 500 USDT pass and stop 500.01, with a critical alert that is told once", async () => {
    const exact = await approved({ nano: "100000000000" });
    await quote(db, "5");
    expect(await refusedWith(exact)).toBeUndefined();
    const above = await approved({ nano: "100002000000" });
    await clock.advance(1);
    await quote(db, "5");
    for (let time = 0; time < 2; time++) {
      expect(await refusedWith(above)).toBe("limit_exceeded");
    }
    const alerts = await db.owner(
      "select severity, value, threshold, seen from public.alerts where code = 'limit_exceeded' and task_id = $1",
      [above.taskId],
    );
    expect(alerts).toEqual([{
      severity: "critical",
      value: "500.01 USDT",
      threshold: "500 USDT",
      seen: 2,
    }]);
    const told = await db.owner(
      "select 1 from public.notifications where kind = 'announcement' and payload_json ->> 'topic' = 'alert' and task_id = $1",
      [above.taskId],
    );
    expect(told).toHaveLength(2);
  });

  it("take the account's own cap where it is tighter", async () => {
    const access = await approved({ nano: "20000000000" });
    await db.owner("update public.limits set max_single_tx_usdt = 99.99 where account_id = $1", [
      `telegram:${access.buyer}`,
    ]);
    await quote(db, "5");
    // The settings are bound: people are asked anew before the gate itself is met.
    expect(await refusedWith(access)).toBe("digest_drift");
    const again = await approvedAccess(db, access.buyer, { nano: "20000000000" });
    await clock.advance(1);
    await quote(db, "5");
    expect((await reserveAccess(db, again.work, again.grant)).refused).toBe("limit_exceeded");
  });

  it.each([
    ["nobody", { owner: "nobody" }, "wrong_role"],
    ["an operator", { owner: "otto" }, "wrong_role"],
    ["an owner without a reason", { reason: "" }, "invalid_request"],
    ["an owner with no amount", { max_usdt: "much" }, "invalid_request"],
    ["an owner for an order that does not exist", { order_id: "a".repeat(26) }, "not_found"],
  ])("do not take the word of %s for a higher cap", async (_, change, code) => {
    const access = await approved({ nano: "200000000000" });
    const value = {
      order_id: access.grant.order_id,
      owner: "olga",
      max_usdt: "1000",
      reason: "known",
    };
    expect((await override(db, { ...value, ...change })).refused).toBe(code);
    await clock.advance(1);
    await quote(db, "5");
    expect(await refusedWith(access)).toBe("limit_exceeded");
  });

  it("do not take an owner's word for their own purchase", async () => {
    await checked(db, "1002");
    const { grant } = await paidAtGate(db, "1002");
    const value = { order_id: grant.order_id, owner: "olga", max_usdt: "1000", reason: "mine" };
    expect((await override(db, value)).refused).toBe("self_approval");
  });

  it("bind an owner's recorded word by the digest: whoever approved before is asked anew", async () => {
    const access = await approved({ nano: "200000000000" });
    const value = {
      order_id: access.grant.order_id,
      owner: "OLGA",
      max_usdt: "1000",
      reason: "a company of ten",
    };
    expect((await override(db, value)).owner).toBe("olga");
    await clock.advance(1);
    await quote(db, "5");
    expect(await refusedWith(access)).toBe("digest_drift");
    expect(await statusOf(db, access.taskId)).toBe("awaiting_approval");

    const buyer = String(++accounts);
    await checked(db, buyer);
    const next = await approvedAccess(db, buyer, { nano: "200000000000" });
    const [{ settings }] = await db.owner<{ settings: Record<string, unknown> }>(
      "select private.limit_settings(t) as settings from public.tasks t where task_id = $1",
      [access.taskId],
    );
    expect(settings).toMatchObject({
      max_single_tx_usdt: "500",
      cool_down_minutes: "30",
      overrides: { [access.grant.order_id]: "1000" },
    });
    expect(settings).not.toHaveProperty(["overrides", next.grant.order_id]);
  });

  it("refuse while the checklist is not complete any more, at the start too", async () => {
    const access = await approved();
    await clock.advance(1);
    await quote(db, "3.2");
    await check(db, access.buyer, "sanctions", "failed");
    expect(await refusedWith(access)).toBe("kyc_incomplete");
    await check(db, access.buyer, "sanctions");
    const { effect_id } = await reserveAccess(db, access.work, access.grant);
    await db.owner("update public.limits set kyc_status = 'pending' where account_id = $1", [
      `telegram:${access.buyer}`,
    ]);
    expect((await start(db, effect_id, access.work)).refused).toBe("kyc_incomplete");
    expect(await statusOf(db, access.taskId)).toBe("rejected");
  });

  it("are not talked round by a status without the checks behind it", async () => {
    const access = await approved();
    const other = String(++accounts);
    await db.owner(
      "insert into public.limits (account_id, kyc_status, updated_by) values ($1, 'passed', 'nobody')",
      [`telegram:${other}`],
    );
    const [{ complete }] = await db.owner<{ complete: boolean }>(
      "select private.kyc_complete($1) as complete",
      [`telegram:${other}`],
    );
    expect(complete).toBe(false);
    await fail(db, access.work, "insufficient_data");
  });

  it("keep 30 minutes between two grants of one account: 29:59 waits, 30:00 passes", async () => {
    const buyer = String(++accounts);
    await checked(db, buyer);
    await granted(db, buyer);
    const second = await approvedAccess(db, buyer);
    await clock.advance(1799);
    await quote(db, "3.2");
    expect((await reserveAccess(db, second.work, second.grant)).refused).toBe("cool_down");
    await clock.advance(1);
    await quote(db, "3.2");
    expect((await reserveAccess(db, second.work, second.grant)).refused).toBeUndefined();
  });

  it("count a grant under way, so that two payments at once do not both find the account rested", async () => {
    const buyer = String(++accounts);
    await checked(db, buyer);
    const first = await approvedAccess(db, buyer);
    const second = await approvedAccess(db, buyer);
    await clock.advance(1);
    await quote(db, "3.2");
    expect((await reserveAccess(db, first.work, first.grant)).refused).toBeUndefined();
    expect((await reserveAccess(db, second.work, second.grant)).refused).toBe("cool_down");
  });

  it.each([
    ["telegram_user_id", "999999"],
    ["days", "3000"],
    ["plan", "gold"],
    ["order_id", "b".repeat(26)],
  ])("refuse a grant whose %s is not the order's, though it was approved", async (name, value) => {
    const access = await approved({ change: { [name]: value } });
    await clock.advance(1);
    await quote(db, "3.2");
    expect(await refusedWith(access)).toBe("digest_drift");
  });

  it("know their own orders: a task that merely looks like a paid one lets nobody in", async () => {
    const access = await approved();
    const forged = await forgedAccess(db, access.taskId);
    await clock.advance(1);
    await quote(db, "3.2");
    expect((await reserveAccess(db, forged.work, forged.grant)).refused).toBe("unknown_order");
    expect(await refusedWith(access)).toBeUndefined();
  });

  it("refuse a payload that is not the approved grant, and another channel", async () => {
    const access = await approved();
    await clock.advance(1);
    await quote(db, "3.2");
    for (const p_payload of [{}, { ...access.grant, days: "31" }, { ...access.grant, more: "1" }]) {
      expect(await refusedWith(access, { p_payload })).toBe("digest_drift");
    }
    for (const p_channel of ["console", "internal", "paper"]) {
      expect(await refusedWith(access, { p_channel })).toBe("invalid_request");
    }
    expect(await refusedWith(access)).toBeUndefined();
  });
});
