import { expect } from "vitest";
import { confirm, start } from "../support/line.ts";
import {
  approved,
  filled,
  quote,
  reduction,
  reserve,
  setStatus,
  wanted,
} from "../support/trading.ts";
import { administer } from "../support/personas.ts";
import { all, drop, given, type Guard, never, refuses, replace } from "./guard.ts";
import { account, ordered } from "./desk.ts";
import { type House, one } from "./house.ts";

const problem = (house: House, taskId: string, order: unknown, channel = "paper") =>
  one<string>(
    house,
    "select private.order_problem(t, $2, $3) as value from public.tasks t where task_id = $1",
    [taskId, JSON.stringify(order), channel],
  );

export const guardsOfTrades: Guard[] = [
  {
    name: "What is ordered is what the proposal says",
    promise: "trades",
    test: "another order than the approved one is not reserved",
    without: never(
      "private.effect_problem",
      "p_kind = 'trade' and private.proposed(p_task.task_id, 'order') is distinct from p_payload",
    ),
    async probe(house) {
      const { work } = await ordered(house, await account(house));
      const { order } = JSON.parse(
        work.inputs.findLast(({ type }) => type === "proposal")!.content,
      );
      refuses(
        await reserve(house, work, { p_payload: { ...order, quantity: "2" } }),
        "digest_drift",
      );
    },
  },
  {
    name: "An old price counts for nothing",
    promise: "trades",
    test: "an order is not reserved on a price of 31 seconds",
    without: replace("private.price_problem", "or v_age > v_oldest or", "or"),
    async probe(house) {
      const { work } = await ordered(house, await account(house));
      await house.clock.advance(31);
      refuses(await reserve(house, work), "quote_stale");
    },
  },
  {
    name: "A price has a source that the policy names",
    promise: "trades",
    test: "an order is not reserved on a price of another source",
    without: drop("private.price_problem", "or not v_sources ? p_quote.source"),
    async probe(house) {
      const { work } = await ordered(house, await account(house));
      await house.clock.advance(1);
      await house.owner(
        "insert into public.quotes (symbol, source, price, observed_at) values ('BTCUSDT', 'kraken', 100, private.now())",
      );
      refuses(await reserve(house, work), "quote_stale");
    },
  },
  {
    name: "A price that has moved is another price",
    promise: "trades",
    test: "an order is not reserved after the price moved too far",
    without: never(
      "private.price_problem",
      "abs(v_touch - v_approved) * 100 > v_drift * v_approved",
    ),
    async probe(house) {
      const { work } = await ordered(house, await account(house));
      await house.clock.advance(1);
      await quote(house, "100.6");
      refuses(await reserve(house, work), "price_moved");
    },
  },
  {
    name: "A suspended account trades nothing",
    promise: "trades",
    test: "an order is not reserved on a suspended account",
    without: never("private.order_problem", "v_account.status <> 'active'"),
    async probe(house) {
      const id = await account(house);
      const { work } = await ordered(house, id);
      await setStatus(house, id, "suspended");
      refuses(await reserve(house, work), "account_suspended");
    },
  },
  {
    name: "An order goes to its account's channel",
    promise: "trades",
    test: "an order of a paper account does not leave the house",
    without: never("private.order_problem", "v_account.channel is distinct from p_channel"),
    async probe(house) {
      const { work } = await ordered(house, await account(house));
      refuses(await reserve(house, work, { p_channel: "http-bridge" }), "no_channel");
    },
  },
  {
    name: "Entry, stop and target are one order or none",
    promise: "trades",
    test: "an order without its stop is none",
    without: replace(
      "private.order_shape_problem",
      "'stop_loss') < private",
      "'take_profit') <= private",
    ),
    async probe(house) {
      const id = await account(house);
      const { taskId } = await ordered(house, id);
      const { stop_loss: _, ...order } = wanted(id, { reduce_only: false });
      expect(await problem(house, taskId, order)).toBe("incomplete_bracket");
    },
  },
  {
    name: "A reduction closes what is open and no more",
    promise: "trades",
    test: "a reduction of more than is open is refused",
    without: replace(
      "private.order_problem",
      "then private.order_refused('position_missing'",
      "and false then private.order_refused('position_missing'",
    ),
    async probe(house) {
      const id = await account(house);
      await filled(house, wanted(id));
      await house.clock.advance(1);
      const { taskId } = await approved(house, reduction(id));
      expect(await problem(house, taskId, reduction(id, { quantity: "2" }))).toBe(
        "position_missing",
      );
    },
  },
  {
    name: "One person is enough for a reduction inside a position alone",
    promise: "trades",
    test: "a reduction whose position has gone asks for two people again",
    without: drop(
      "private.is_reduction",
      "and private.positive_decimal(v_order ->> 'quantity') <= private.reducible(v_order) - private.reduction_in_flight(v_order, p_task.task_id)",
    ),
    async probe(house) {
      const id = await account(house);
      await filled(house, wanted(id));
      await house.clock.advance(1);
      const [first, second] = [
        await approved(house, reduction(id)),
        await approved(house, reduction(id)),
      ];
      const answer = await reserve(house, first.work);
      if (answer.refused) throw new Error(`the first was refused: ${answer.refused}`);
      expect(
        await one(
          house,
          "select cardinality((private.task_rule(t)).slots) as value from public.tasks t where task_id = $1",
          [second.taskId],
        ),
      ).toBe(2);
    },
  },
  {
    name: "Nobody trades on an account that is not there (the look, its channel and its equity)",
    promise: "trades",
    test: "an order on an account that is gone is not reserved",
    without: all(
      never("private.order_problem", "v_account.account_id is null"),
      never("private.order_problem", "v_account.channel is distinct from p_channel"),
      never(
        "private.limit_problem",
        "v_standing.equity is null or v_standing.equity_at_open is null",
      ),
    ),
    async probe(house) {
      const { taskId } = await ordered(house, await account(house));
      const answer = await problem(house, taskId, wanted("nobodys", { reduce_only: false }));
      expect(answer).toBe("unknown_account");
    },
  },
  {
    name: "A broker that contradicts the record rings",
    promise: "trades",
    test: "a fill of an order that a person settled as not done raises a critical alert",
    without: drop("api.accept_broker_report", "('failed', 'filled'), "),
    async probe(house) {
      const id = await account(house, { channel: "http-bridge" });
      const { work } = await ordered(house, id);
      const reserved = given(await reserve(house, work, { p_channel: "http-bridge" }));
      given(await start(house, reserved.effect_id, work));
      given(await confirm(house, reserved.effect_id, work, "unknown", {}));
      given(
        await administer(house, "settle_effect($1, 'failed', 'not there', 'test')", [
          reserved.effect_id,
        ]),
      );
      const p_report = { key: reserved.idempotency_key, status: "filled" };
      refuses(
        await house.database.call("accept_broker_report", { p_report }),
        "illegal_transition",
      );
      expect(
        await one(house, "select max(severity) as value from public.alerts where subject = $1", [
          `account:${id}`,
        ]),
      ).toBe("critical");
    },
  },
];
