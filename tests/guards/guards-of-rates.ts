import { expect } from "vitest";
import { accept, alertEvent, type Answer } from "../support/line.ts";
import { type Guard, never, refuses, replace } from "./guard.ts";
import { type House, number, one, say, setPolicy } from "./house.ts";

const take = (house: House) =>
  house.database.call<Answer>("take_tool_token", { p_tool: "telegram.post" });

async function emptied(house: House, times = 30): Promise<void> {
  for (let i = 0; i < times; i++) {
    if ((await take(house)).refused) throw new Error(`call ${i + 1} was refused already`);
  }
}

export const guardsOfRates: Guard[] = [
  {
    name: "A metered tool runs as often as the policy says",
    promise: "rates",
    test: "the thirty-first call of a tool that runs thirty times a minute is refused",
    without: replace(
      "private.take_token",
      "* p_per_minute / 60) >= 1",
      "* p_per_minute / 60) >= -1000",
    ),
    async probe(house) {
      await emptied(house);
      refuses(await take(house), "rate_limited");
    },
  },
  {
    name: "A bucket is never fuller than its burst",
    promise: "rates",
    test: "a tool that was not called for a day is called no more often than in a minute",
    without: replace(
      "private.take_token",
      "set tokens = least(p_burst, ",
      "set tokens = greatest(0, ",
    ),
    async probe(house) {
      await emptied(house, 1);
      await house.clock.advance(86400);
      await emptied(house);
      refuses(await take(house), "rate_limited");
    },
  },
  {
    name: "A refusal of the bucket refuses the call",
    promise: "rates",
    test: "an empty bucket grants nothing",
    without: never("api.take_tool_token", "v_wait > 0"),
    async probe(house) {
      await emptied(house);
      refuses(await take(house), "rate_limited");
    },
  },
  {
    name: "Commands of one account are slowed down",
    promise: "rates",
    test: "the sixty-first command of a minute is refused",
    without: replace(
      "private.take_update",
      "private.policy_number(60, 'rate_limits', 'telegram_commands_per_minute')) > 0",
      "private.policy_number(60, 'rate_limits', 'telegram_commands_per_minute')) < 0",
    ),
    async probe(house) {
      for (let i = 0; i < 60; i++) await say(house, "1001", { type: "help" });
      refuses(await say(house, "1001", { type: "help" }), "rate_limited");
    },
  },
  {
    name: "A pairing code is not found by trying",
    promise: "rates",
    test: "the eleventh guess of a minute is refused unseen",
    without: never("private.pair_owner", "private.take_token('pairing', 10, 10) > 0"),
    async probe(house) {
      const guess = () => say(house, number(), { type: "start", pairing_code: "guess" });
      for (let i = 0; i < 10; i++) await guess();
      expect((await guess()).refused).toBe("rate_limited");
    },
  },
  {
    name: "A flood leaves no receipts",
    promise: "rates",
    test: "a delivery beyond the burst is refused and not stored",
    without: never("api.accept_event", "v_wait > 0"),
    async probe(house) {
      await setPolicy(house, "{rate_limits,intake_burst}", 2);
      const deliver = () => accept(house, alertEvent(`flood ${Math.random()}`));
      for (let i = 0; i < 2; i++) await deliver();
      const count = () => one(house, "select count(*)::text as value from public.event_receipts");
      const before = await count();
      refuses(await deliver(), "rate_limited");
      expect(await count()).toBe(before);
    },
  },
];
