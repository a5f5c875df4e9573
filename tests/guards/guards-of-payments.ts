import { type Answer, decide, openCode } from "../support/line.ts";
import {
  approvedAccess,
  check,
  checked,
  createOrder,
  granted,
  order,
  override,
  paidAtGate,
  quote,
  reserveAccess,
} from "../support/payments.ts";
import { drop, given, type Guard, never, refuses, replace } from "./guard.ts";
import { type House, newcomer, number } from "./house.ts";
import { customer } from "./desk.ts";

/** Reserves a paid access after something has changed. */
async function reserved(
  house: House,
  change: (buyer: string) => Promise<unknown>,
  options = {},
): Promise<Answer> {
  const buyer = await customer(house);
  const { grant, work } = await approvedAccess(house, buyer, options);
  await quote(house, "3.2");
  await change(buyer);
  return await reserveAccess(house, work, grant);
}

const unchanged = () => Promise.resolve();
const fact = (condition: string) => never("private.payment_facts", condition);
const overridden = async (house: House, buyer: string, owner: string) =>
  await override(house, {
    order_id: await order(house, buyer),
    owner,
    max_usdt: "900",
    reason: "known",
  });

export const guardsOfPayments: Guard[] = [
  {
    name: "A payment keeps under the cap",
    promise: "access",
    test: "an access worth more than the cap is not granted",
    without: fact("v_usdt > greatest(v_cap, coalesce(v_override, 0))"),
    async probe(house) {
      refuses(
        await reserved(house, async () => {
          await house.clock.advance(1);
          await quote(house, "50.1");
        }),
        "limit_exceeded",
      );
    },
  },
  {
    name: "An account rests between two grants",
    promise: "access",
    test: "a second access within the cool-down is not granted",
    without: fact("v_in_flight or v_until > v_now"),
    async probe(house) {
      const buyer = await customer(house);
      await granted(house, buyer);
      await house.clock.advance(1);
      const { grant, work } = await approvedAccess(house, buyer);
      await quote(house, "3.2");
      refuses(await reserveAccess(house, work, grant), "cool_down");
    },
  },
  {
    name: "A grant under way counts as one",
    promise: "access",
    test: "a second access beside one under way is not granted",
    without: replace("private.payment_facts", "v_in_flight or", ""),
    async probe(house) {
      const buyer = await customer(house);
      const [first, second] = [
        await approvedAccess(house, buyer),
        await approvedAccess(house, buyer),
      ];
      await quote(house, "3.2");
      given(await reserveAccess(house, first.work, first.grant));
      refuses(await reserveAccess(house, second.work, second.grant), "cool_down");
    },
  },
  {
    name: "Nobody is let in whose checks do not stand",
    promise: "access",
    test: "an access is not granted after a check has failed",
    without: fact("not private.kyc_complete(p_order.account_id)"),
    probe: async (house) =>
      refuses(
        await reserved(house, (buyer) => check(house, buyer, "sanctions", "failed")),
        "kyc_incomplete",
      ),
  },
  {
    name: "Nobody is asked for money who could not be let in",
    promise: "access",
    test: "no order is made for an account that was not checked",
    without: never("api.create_order", "not private.kyc_complete('telegram:' || v_buyer)"),
    probe: async (house) => refuses(await createOrder(house, number()), "kyc_incomplete"),
  },
  {
    name: "Behind a passed checklist stand its checks",
    promise: "access",
    test: "no order is made on a status that nobody checked",
    without: drop("private.kyc_complete", "and private.kyc_status_of(p_account_id) = 'passed'"),
    async probe(house) {
      const buyer = number();
      await house.owner(
        "insert into public.limits (account_id, kyc_status, updated_by) values ($1, 'passed', 'test')",
        [`telegram:${buyer}`],
      );
      refuses(await createOrder(house, buyer), "kyc_incomplete");
    },
  },
  {
    name: "What a payment is worth is known",
    promise: "access",
    test: "an access is not granted without a fresh price",
    without: fact("v_usdt is null"),
    probe: async (house) =>
      refuses(await reserved(house, () => house.clock.advance(31)), "quote_stale"),
  },
  {
    name: "A grant is for who paid",
    promise: "access",
    test: "an access for somebody else than the buyer is not granted",
    without: drop(
      "private.access_problem",
      "or p_payload ->> 'telegram_user_id' is distinct from v_order.buyer_telegram_id",
    ),
    probe: async (house) =>
      refuses(
        await reserved(house, unchanged, { change: { telegram_user_id: "4711" } }),
        "digest_drift",
      ),
  },
  {
    name: "A grant is for what was paid",
    promise: "access",
    test: "an access for more days than were paid is not granted",
    without: replace(
      "private.access_problem",
      "or p_payload ->> 'days' is distinct from v_order.days::text",
      "",
    ),
    probe: async (house) =>
      refuses(await reserved(house, unchanged, { change: { days: "3000" } }), "digest_drift"),
  },
  {
    name: "Only an owner lifts the cap",
    promise: "access",
    test: "an operator's word does not lift the cap",
    without: never("api.override_payment_limit", "v_owner.role is distinct from 'owner'"),
    probe: async (house) =>
      refuses(await overridden(house, await customer(house), "olga"), "wrong_role"),
  },
  {
    name: "No owner lifts the cap for their own purchase",
    promise: "people",
    test: "an owner's word does not lift the cap of their own order",
    without: never(
      "api.override_payment_limit",
      "v_owner.person_id = private.person_of(v_order.account_id)",
    ),
    async probe(house) {
      const buyer = await newcomer(house, "owner");
      await checked(house, buyer);
      refuses(await overridden(house, buyer, `m${buyer}`), "self_approval");
    },
  },
  {
    name: "A member who buys does not approve it",
    promise: "people",
    test: "an access is not approved by its buyer",
    without: never(
      "private.decide",
      "p_member.person_id in (v_task.requester_person_id, private.person_of(v_task.actor))",
    ),
    async probe(house) {
      const buyer = await newcomer(house, "operator");
      await checked(house, buyer);
      const { taskId } = await paidAtGate(house, buyer);
      refuses(await decide(house, buyer, await openCode(house, taskId)), "self_approval");
    },
  },
];
