import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { telegramMembership } from "../../../functions/_channels/telegram-membership.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import {
  type AccessDeps,
  grantAccess,
  isAccess,
} from "../../../functions/communicator/access-effect.ts";
import type { Misbehaviour } from "../../support/bot-api-wire.ts";
import { BotApi } from "../../support/bot-api.ts";
import { freely } from "../../support/outside.ts";
import { outbox, publishStep } from "./outbox.ts";

let api: BotApi;
const chat = "-1003000000001";
const fence = { p_attempt: 2, p_lease_token: "lease" };
const grant = {
  order_id: "a".repeat(26),
  telegram_user_id: "880001",
  plan: "vip-30",
  days: "30",
  join_minutes: "1440",
};

beforeEach(async () => {
  api = await BotApi.start();
});
afterEach(() => api.close());

function accessStep(proposal: unknown = { action: "PAYMENT", grant }) {
  const step = publishStep();
  const content = typeof proposal === "string" ? proposal : JSON.stringify(proposal);
  return {
    ...step,
    is_effect: true,
    inputs: [{ ...step.inputs[0], type: "proposal", content }],
    task: { ...step.task, action: "PAYMENT", risk_tier: "T3" as const },
  };
}

async function act(
  box: ReturnType<typeof outbox>,
  more: Partial<AccessDeps> = {},
  step = accessStep(),
): Promise<void> {
  await grantAccess({
    database: box.database,
    membership: telegramMembership({ token: api.token, api_root: api.root, timeout_seconds: 1 }),
    vip_chat_id: chat,
    refresh_quote: () => Promise.resolve(),
    breakers: freely,
    now: () => new Date("2026-11-21T10:00:00Z"),
    policy_sha256: "ab".repeat(32),
    ...more,
  }, step);
}

describe("granting an access", () => {
  it("is for the effect of a payment, and for nothing else", () => {
    expect(isAccess(accessStep())).toBe(true);
    expect(isAccess({ ...accessStep(), is_effect: false })).toBe(false);
    expect(isAccess(publishStep())).toBe(false);
  });

  it.each([
    ["no grant", { action: "PAYMENT" }],
    ["a grant for nobody", { grant: { ...grant, telegram_user_id: "" } }],
    ["a grant with something more in it", { grant: { ...grant, chat_id: "-1" } }],
    ["no JSON", "{"],
  ])("does nothing for a proposal with %s", async (_, proposal) => {
    const box = outbox();
    await expect(act(box, {}, accessStep(proposal))).rejects.toThrow(Refusal);
    expect([box.calls, api.calls]).toEqual([[], []]);
  });

  it.each([
    ["bot", { membership: null }],
    ["group", { vip_chat_id: null }],
  ])("waits as no_channel where there is no %s", async (_, more) => {
    const box = outbox();
    await act(box, more);
    expect(box.told("fail_step")).toMatchObject([
      { ...fence, p_code: "no_channel", p_retry_after: 300 },
    ]);
    expect(box.told("reserve_effect")).toEqual([]);
    expect(api.calls).toEqual([]);
  });

  it.each([
    "cool_down",
    "kyc_incomplete",
    "limit_exceeded",
    "quote_stale",
    "stopped",
    "digest_drift",
    "t3_execution_disabled",
  ])("makes no link when the reservation is refused with %s", async (refused) => {
    const box = outbox({ reserve_effect: () => ({ refused }) });
    await act(box);
    expect(box.told("fail_step")).toMatchObject([{ ...fence, p_code: refused }]);
    expect(api.calls).toEqual([]);
  });

  it("makes no link for a step or an effect that is no longer its own", async () => {
    for (const call of ["reserve_effect", "start_effect"]) {
      const box = outbox({ [call]: () => ({ refused: "stale_lease" }) });
      await act(box);
      expect(box.told("fail_step")).toEqual([]);
    }
    expect(api.calls).toEqual([]);
  });

  it("goes on without a source of prices: the gate that wants one says so", async () => {
    const box = outbox({ reserve_effect: () => ({ refused: "quote_stale" }) });
    await act(box, { refresh_quote: null });
    expect(box.told("fail_step")).toMatchObject([{ p_code: "quote_stale", p_retry_after: 15 }]);
    expect(api.calls).toEqual([]);
  });

  it.each<[string, Misbehaviour]>([
    ["unknown", { as: "hang", done: true }],
    ["unknown", { as: "reset_after" }],
    ["unknown", { as: "server_error" }],
    ["not_sent", { as: "too_many_requests", retry_after: 9 }],
    ["failed", { as: "bad_request", description: "Bad Request: not enough rights" }],
    ["failed", { as: "blocked" }],
  ])("records as %s what Telegram leaves behind: %j", async (outcome, how) => {
    api.misbehaves("createChatInviteLink", how);
    const box = outbox();
    await act(box);
    expect(box.told("confirm_effect")).toMatchObject([{ p_outcome: outcome }]);
    await expect.poll(() => api.called("createChatInviteLink")).toHaveLength(1);
  });

  it("asks for a fresh price, reserves the very grant, starts, makes one link and confirms it", async () => {
    const box = outbox();
    const order: string[] = [];
    await act(box, {
      refresh_quote: () => {
        order.push("price", ...box.calls.map(({ name }) => name));
        return Promise.resolve();
      },
    });
    expect(order).toEqual(["price"]);
    expect(box.calls.map(({ name }) => name)).toEqual([
      "reserve_effect",
      "start_effect",
      "confirm_effect",
    ]);
    expect(box.told("reserve_effect")).toMatchObject([{
      ...fence,
      p_kind: "access",
      p_channel: "telegram",
      p_destination: chat,
      p_payload: grant,
    }]);
    expect(api.groups.links).toMatchObject([{
      chat_id: chat,
      name: "T-2025-09-28-0012 vip-30",
      expire_date: Date.parse("2026-11-22T10:00:00Z") / 1000,
    }]);
    expect(box.told("confirm_effect")).toMatchObject([{
      p_outcome: "confirmed",
      p_receipt: {
        invite_link: api.groups.links[0].invite_link,
        link_expires_at: "2026-11-22T10:00:00.000Z",
      },
    }]);
  });

  it("confirms again when the database stumbles, and never makes a second link", async () => {
    let stumbles = 2;
    const box = outbox({
      confirm_effect: () => {
        if (stumbles-- > 0) throw new Error("the connection was lost");
        return { status: "confirmed" };
      },
    });
    await act(box);
    expect(box.told("confirm_effect")).toHaveLength(3);
    expect(api.groups.links).toHaveLength(1);
  });

  it("carries out what a dead worker reserved, and not what it would say itself", async () => {
    const box = outbox({
      reserve_effect: () => ({
        effect_id: "e-1",
        status: "reserved",
        payload: { ...grant, join_minutes: "60" },
      }),
    });
    await act(box);
    expect(api.groups.links[0].expire_date).toBe(Date.parse("2026-11-21T11:00:00Z") / 1000);
  });
});
