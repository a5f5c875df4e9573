import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { consoleChannel } from "../../../functions/_channels/console.ts";
import { telegramChannel } from "../../../functions/_channels/telegram.ts";
import { type EffectDeps, publishEffects } from "../../../functions/communicator/effects.ts";
import type { Misbehaviour } from "../../support/bot-api-wire.ts";
import { BotApi } from "../../support/bot-api.ts";
import type { Breakers, CallOutcome } from "../../../functions/_domain/breaker.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { noDoor } from "../../support/outside.ts";
import { outbox, publishStep } from "./outbox.ts";

let api: BotApi;
let printed: string[];
const chat = "-1002000000001";
const fence = { p_attempt: 2, p_lease_token: "lease" };

beforeEach(async () => {
  api = await BotApi.start();
  printed = [];
});
afterEach(() => api.close());

function publish(box: ReturnType<typeof outbox>, more: Partial<EffectDeps> = {}) {
  return publishEffects({
    ...noDoor,
    database: box.database,
    channels: {
      telegram: telegramChannel({ token: api.token, api_root: api.root, timeout_seconds: 1.5 }),
      console: consoleChannel((text) => printed.push(text)),
    },
    chat_id: chat,
    worker: "communicator-1",
    now: () => new Date(),
    policy_sha256: "ab".repeat(32),
    ...more,
  }, () => true);
}

describe("publishing", () => {
  it.each([
    "digest_drift",
    "approval_missing",
    "request_expired",
    "local_decision",
    "policy_not_active",
  ])(
    "fails the step with %s when the reservation is refused, and sends nothing",
    async (refused) => {
      const box = outbox({ reserve_effect: () => ({ refused }) });
      box.steps.push(publishStep());
      await publish(box);
      expect(box.told("fail_step")).toMatchObject([{
        p_step_id: "s-1",
        ...fence,
        p_code: refused,
      }]);
      expect(api.calls).toEqual([]);
    },
  );

  it("puts a step aside while Telegram is left alone, before anything is reserved", async () => {
    const about = { tool: "telegram.post", retry_after: 90 };
    const breakers: Breakers = {
      admit: () => Promise.reject(new Refusal("breaker_open", "It rests.", about)),
      report: () => Promise.reject(new Error("there was no call")),
    };
    const box = outbox();
    box.steps.push(publishStep());
    await publish(box, { breakers });
    expect(box.told("fail_step")).toMatchObject([{
      ...fence,
      p_code: "breaker_open",
      p_tool: "telegram.post",
    }]);
    expect([box.told("reserve_effect"), api.calls]).toEqual([[], []]);
    // What is printed asks nobody.
    box.steps.push(publishStep());
    await publish(box, { breakers, chat_id: null });
    expect(printed).toHaveLength(1);
  });

  it.each<[Misbehaviour | null, CallOutcome]>([
    [null, "success"],
    [{ as: "too_many_requests", retry_after: 8 }, "released"],
    [{ as: "reset_before" }, "failure"],
  ])("tells Telegram's breaker how the call ended: %j", async (misbehaviour, outcome) => {
    const told: CallOutcome[] = [];
    const breakers: Breakers = {
      admit: (tool) => Promise.resolve({ tool, probe: null }),
      report: (_, how) => Promise.resolve(void told.push(how)),
    };
    if (misbehaviour) api.misbehaves("sendMessage", misbehaviour);
    const box = outbox();
    box.steps.push(publishStep());
    await publish(box, { breakers });
    expect(told).toEqual([outcome]);
  });

  it("leaves a step alone that another worker has taken over, before or after the reservation", async () => {
    for (const call of ["reserve_effect", "start_effect"]) {
      const box = outbox({ [call]: () => ({ refused: "stale_lease" }) });
      box.steps.push(publishStep());
      await publish(box);
      expect(box.told("fail_step")).toEqual([]);
      expect(box.told("confirm_effect")).toEqual([]);
    }
    expect(api.calls).toEqual([]);
  });

  it("fails a step that has nothing to publish without reserving anything", async () => {
    const box = outbox();
    box.steps.push(publishStep({ inputs: [] }));
    await publish(box);
    expect(box.told("fail_step")).toMatchObject([{ p_code: "insufficient_data" }]);
    expect(box.told("reserve_effect")).toEqual([]);
  });

  it.each<[Misbehaviour, object, number]>([
    [{ as: "too_many_requests", retry_after: 8 }, {
      p_outcome: "not_sent",
      p_receipt: { retry_after: 8 },
    }, 0],
    [{ as: "server_error" }, { p_outcome: "unknown" }, 0],
    [{ as: "blocked" }, { p_outcome: "failed" }, 0],
    [{ as: "bad_request" }, { p_outcome: "failed" }, 0],
    [{ as: "bad_gateway" }, { p_outcome: "unknown" }, 0],
    [{ as: "hang", done: true }, { p_outcome: "unknown" }, 1],
    [{ as: "reset_after" }, { p_outcome: "unknown" }, 1],
  ])("records what was seen and never sends twice: %j", async (how, outcome, posts) => {
    api.misbehaves("sendMessage", how);
    const box = outbox();
    box.steps.push(publishStep());
    await publish(box);
    expect(box.told("confirm_effect")).toMatchObject([{
      p_effect_id: "e-1",
      ...fence,
      ...outcome,
    }]);
    expect(api.called("sendMessage")).toHaveLength(1);
    expect(api.received(chat)).toHaveLength(posts);
  });

  it("says the outcome again when the database stumbles after the message went out", async () => {
    let stumbles = 2;
    const box = outbox({
      confirm_effect: () => {
        if (stumbles-- > 0) throw new Error("connection lost");
        return { status: "confirmed" };
      },
    });
    box.steps.push(publishStep());
    await publish(box);
    expect(box.told("confirm_effect")).toHaveLength(3);
    expect(api.received(chat)).toHaveLength(1);
  });

  it("reserves, starts, sends and confirms in this order, with the stored post", async () => {
    const box = outbox();
    box.steps.push(publishStep());
    expect(await publish(box)).toBe(1);
    expect(box.calls.map(({ name }) => name)).toEqual([
      "claim_steps",
      "take_tool_token",
      "reserve_effect",
      "start_effect",
      "confirm_effect",
    ]);
    expect(box.told("claim_steps")).toMatchObject([{ p_agents: ["communicator"] }]);
    expect(box.told("reserve_effect")).toEqual([{
      p_step_id: "s-1",
      ...fence,
      p_kind: "publish",
      p_channel: "telegram",
      p_destination: chat,
      p_payload: { text: "BTCUSDT, long: idea" },
      p_policy_sha256: "ab".repeat(32),
    }]);
    expect(box.told("confirm_effect")).toMatchObject([{
      p_outcome: "confirmed",
      p_receipt: { message_id: "101" },
    }]);
    expect(api.received(chat)).toEqual(["BTCUSDT, long: idea"]);
  });

  it("sends what an earlier worker reserved", async () => {
    const box = outbox({
      reserve_effect: () => ({
        effect_id: "e-1",
        status: "reserved",
        payload: { text: "as reserved" },
      }),
    });
    box.steps.push(publishStep());
    await publish(box);
    expect(api.received(chat)).toEqual(["as reserved"]);
  });

  it("records a T0 result inside and sends nothing anywhere", async () => {
    const box = outbox({ reserve_effect: () => ({ effect_id: "e-1", status: "confirmed" }) });
    box.steps.push(publishStep({}, "T0"));
    await publish(box);
    expect(box.told("reserve_effect")).toMatchObject([{ p_kind: "record", p_channel: "internal" }]);
    expect(box.told("start_effect")).toEqual([]);
    expect([...api.calls, ...printed]).toEqual([]);
  });

  it("prints the post where there is no bot or no chat", async () => {
    const box = outbox();
    box.steps.push(publishStep());
    await publish(box, { chat_id: null });
    expect(box.told("reserve_effect")).toMatchObject([{
      p_channel: "console",
      p_destination: "console",
    }]);
    expect(printed).toEqual(["— to console\nBTCUSDT, long: idea"]);
  });
});
