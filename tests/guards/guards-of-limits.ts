import { expect } from "vitest";
import { filled, reserve, setLimits, setStatus, wanted } from "../support/trading.ts";
import { dropTrigger, forbids, given, type Guard, never, refuses, replace } from "./guard.ts";
import { account, ordered } from "./desk.ts";
import { type House, one } from "./house.ts";

/** An approved order of 1 at 100 that only this limit stands in the way of. */
const beyond = (
  name: string,
  text: string,
  arrange: (house: House) => Promise<string>,
): Guard => ({
  name: `An order keeps within ${name}`,
  promise: "trades",
  test: `an order beyond ${name} is not reserved`,
  without: never("private.limit_rows", text),
  async probe(house) {
    const { work } = await ordered(house, await arrange(house));
    refuses(await reserve(house, work), "limit_exceeded");
  },
});

export const guardsOfLimits: Guard[] = [
  beyond("the order size", "f.size > (p_limits ->> 'max_order_size')::numeric", async (house) => {
    const id = await account(house);
    await setLimits(house, id, { max_order_size: "99" });
    return id;
  }),
  beyond(
    "the positions",
    "f.positions > (p_limits ->> 'max_positions')::numeric",
    async (house) => {
      const id = await account(house);
      await setLimits(house, id, { max_positions: "1" });
      await filled(house, wanted(id));
      return id;
    },
  ),
  beyond(
    "the daily loss",
    "f.loss * 100 > (p_limits ->> 'max_daily_loss_pct')::numeric * (p_standing).equity_at_open",
    (house) => account(house, { opening_balance: "45.848" }),
  ),
  beyond(
    "the account's cap",
    "f.loss > (p_limits ->> 'daily_loss_cap')::numeric",
    async (house) => {
      const id = await account(house);
      await setLimits(house, id, { daily_loss_cap: "2" });
      return id;
    },
  ),
  beyond(
    "the drawdown",
    "f.fallen * 100 > (p_limits ->> 'max_drawdown_pct')::numeric * (p_standing).peak",
    async (house) => {
      const id = await account(house);
      await house.owner(
        "update public.trading_accounts set peak_equity = 12000 where account_id = $1",
        [id],
      );
      return id;
    },
  ),
  {
    name: "What is in flight counts",
    promise: "trades",
    test: "an order beside another whose outcome is open is not reserved beyond the positions",
    without: replace("private.orders_in_flight", "where e.kind = 'trade' and", "where false and"),
    async probe(house) {
      const id = await account(house, { channel: "http-bridge" });
      await setLimits(house, id, { max_positions: "1" });
      const [first, second] = [await ordered(house, id), await ordered(house, id)];
      const channel = { p_channel: "http-bridge" };
      const answer = await reserve(house, first.work, channel);
      if (answer.refused) throw new Error(`the first was refused: ${answer.refused}`);
      refuses(await reserve(house, second.work, channel), "limit_exceeded");
    },
  },
  {
    name: "Exceedance rings",
    promise: "trades",
    test: "an order beyond a limit raises a critical alert",
    without: replace(
      "private.limit_problem",
      "perform private.raise_alert('limit_exceeded', 'critical', 'account:'",
      "perform concat('account:'",
    ),
    async probe(house) {
      const id = await account(house);
      await setLimits(house, id, { max_order_size: "99" });
      const { work } = await ordered(house, id);
      await reserve(house, work);
      expect(
        await one(house, "select severity as value from public.alerts where subject = $1", [
          `account:${id}:max_order_size`,
        ]),
      ).toBe("critical");
    },
  },
  {
    name: "A limit of an account only tightens the policy",
    promise: "trades",
    test: "an account is not given more positions than the policy allows",
    without: dropTrigger("public.limits", "_100_only_tighten"),
    async probe(house) {
      const id = await account(house);
      await forbids(
        "23514",
        () =>
          house.owner(
            "insert into public.limits (account_id, max_positions, updated_by) values ($1, 99, 'test')",
            [id],
          ),
      );
    },
  },
  {
    name: "What is open stands in the way of loosening a limit",
    promise: "trades",
    test: "the limit of a suspended account that holds something is not loosened",
    without: never(
      "api.set_limits",
      "exists (select 1 from public.positions p where p.account_id = p_account_id and p.open_quantity > 0)",
    ),
    async probe(house) {
      const id = await account(house);
      given(await setLimits(house, id, { max_order_size: "200" }));
      await filled(house, wanted(id));
      given(await setStatus(house, id, "suspended"));
      refuses(await setLimits(house, id, { max_order_size: "201" }), "forbidden");
    },
  },
  {
    name: "Who loosens a limit suspends the account first",
    promise: "trades",
    test: "the limit of an account that may trade is not loosened",
    without: never("api.set_limits", "v_account.status <> 'suspended'"),
    async probe(house) {
      const id = await account(house);
      given(await setLimits(house, id, { max_order_size: "200" }));
      refuses(await setLimits(house, id, { max_order_size: "201" }), "forbidden");
    },
  },
  {
    name: "Owners hear of every change of an account's limits",
    promise: "trades",
    test: "a limit that an administrator sets is told to the owner",
    without: replace("api.set_limits", "'topic', 'account_limits'", "'topic', 'nothing'"),
    async probe(house) {
      const id = await account(house);
      given(await setLimits(house, id, { max_order_size: "200" }));
      expect(
        await one(
          house,
          "select min(recipient) as value from public.notifications where payload_json ->> 'topic' = 'account_limits' and payload_json ->> 'subject' = $1",
          [id],
        ),
      ).not.toBeNull();
    },
  },
  {
    name: "What comes back after an hour of quiet rings again",
    promise: "trades",
    test: "an order beyond a limit that is refused two hours later rings a second time",
    without: replace(
      "private.raise_alert",
      "v_new or v_before < private.now() - interval '1 hour'",
      "v_new",
    ),
    async probe(house) {
      const id = await account(house);
      const subject = `account:${id}:max_order_size`;
      const raise = () =>
        house.owner(
          "select private.raise_alert('limit_exceeded', 'critical', $1, '2', '1', null)",
          [
            subject,
          ],
        );
      const rung = () =>
        one<string>(
          house,
          "select count(*)::text as value from public.notifications where recipient = '1002' and payload_json ->> 'subject' = $1",
          [subject],
        );
      await raise();
      const once = await rung();
      if (once !== "1") throw new Error(`it rang ${once} times at first`);
      await house.clock.advance(7200);
      await raise();
      expect(await rung()).toBe("2");
    },
  },
  {
    name: "Of policy and account the stricter counts",
    promise: "trades",
    test: "a limit that the account tightened holds",
    without: replace("private.trade_limits", "l.max_positions)", "null)"),
    async probe(house) {
      const id = await account(house);
      await setLimits(house, id, { max_positions: "1" });
      await filled(house, wanted(id));
      const { work } = await ordered(house, id);
      refuses(await reserve(house, work), "limit_exceeded");
    },
  },
];
