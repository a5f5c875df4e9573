import { expect } from "vitest";
import { accept, alertEvent } from "../support/line.ts";
import { granted, order, pay, transfer, vipChat } from "../support/payments.ts";
import { customer } from "./desk.ts";
import { all, drop, dropConstraint, forbids, given, type Guard, never, refuses } from "./guard.ts";
import { type House, number, one, say } from "./house.ts";

const join = (house: House, user: string) =>
  say(house, user, { type: "join", chat_id: vipChat, user_id: user }, { vip_chat_id: vipChat });

export const guardsOfTransfers: Guard[] = [
  {
    name: "A transaction counts once",
    promise: "access",
    test: "a transaction that was credited is not credited to another order",
    without: never(
      "private.transfer_problem",
      "exists (select 1 from public.payments p where p.tx_hash = p_payment ->> 'tx_hash')",
    ),
    async probe(house) {
      const buyer = await customer(house);
      const [first, second] = [await order(house, buyer), await order(house, buyer)];
      const payment = transfer(first);
      given(await pay(house, payment));
      expect(
        await one(
          house,
          "select private.transfer_problem($1, o, private.now()) as value from public.payment_orders o where order_id = $2",
          [JSON.stringify(payment), second],
        ),
      ).toBe("payment_replayed");
    },
  },
  {
    name: "A transaction has one row",
    promise: "access",
    test: "a second payment of one transaction is refused by the table",
    without: all(
      dropConstraint("public.payments", "a_transaction_pays_once"),
      dropConstraint("public.payments", "a_place_in_the_chain_pays_once"),
    ),
    async probe(house) {
      const buyer = await customer(house);
      const { task_id } = given(await pay(house, transfer(await order(house, buyer))));
      const other = await order(house, buyer);
      const { task_id: another } = given(await accept(house, alertEvent(`x ${Math.random()}`)));
      await forbids("23505", () =>
        house.owner(
          `insert into public.payments (order_id, task_id, tx_hash, lt, source_address, amount_nano, amount, paid_at)
           select $2, $3, tx_hash, lt, source_address, amount_nano, amount, paid_at from public.payments where task_id = $1`,
          [task_id, other, another],
        ));
    },
  },
  {
    name: "Less than the price pays for nothing",
    promise: "access",
    test: "a transfer of one nanoton too little is refused",
    without: never(
      "private.transfer_problem",
      "(p_payment #>> '{transfer,amount_nano}')::numeric < p_order.price_nano",
    ),
    async probe(house) {
      const id = await order(house, await customer(house));
      refuses(await pay(house, transfer(id, { amount_nano: "9999999999" })), "wrong_amount");
    },
  },
  {
    name: "An order is paid in its time",
    promise: "access",
    test: "a transfer after the order has lapsed is refused",
    without: never("private.transfer_problem", "p_paid_at >= p_order.expires_at"),
    async probe(house) {
      const id = await order(house, await customer(house));
      await house.clock.advance(3600);
      const at = await one<string>(
        house,
        "select floor(extract(epoch from private.now()))::bigint::text as value",
      );
      refuses(await pay(house, transfer(id, { at })), "order_expired");
    },
  },
  {
    name: "The door opens for the buyer alone",
    promise: "access",
    test: "somebody else than the buyer is not let in",
    without: drop("private.on_join", "s.user_ref = 'telegram:' || v_user and"),
    async probe(house) {
      await granted(house, await customer(house));
      refuses(await join(house, number()), "forbidden");
    },
  },
  {
    name: "The door closes with what was paid",
    promise: "access",
    test: "a buyer whose days are over is not let in",
    without: drop("private.on_join", "and s.expires_at > private.now()"),
    async probe(house) {
      const buyer = await customer(house);
      await granted(house, buyer);
      await house.clock.advance(30 * 86400);
      refuses(await join(house, buyer), "forbidden");
    },
  },
];
