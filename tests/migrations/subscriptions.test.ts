import { describe, expect, it } from "vitest";
import { archive, claim, confirm, statusOf } from "../support/line.ts";
import { approvedAccess, granted, quote, reserveAccess, vipChat } from "../support/payments.ts";
import { buyer, db, join, queued, subscriptions } from "./subscription-scene.ts";

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
