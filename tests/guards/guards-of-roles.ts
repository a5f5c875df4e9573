import { expect } from "vitest";
import { addMember } from "../support/line.ts";
import { administer } from "../support/personas.ts";
import { all, drop, forbids, given, type Guard, refuses, replace, statement } from "./guard.ts";
import { newcomer, number, one, say, signal } from "./house.ts";

const denied = "42501";
const administratorOnly = (name: string, signature: string, call: string): Guard => ({
  name: `${name} is the administrator's alone`,
  promise: "roles",
  test: `${name} is refused to the functions' role`,
  without: statement(`grant execute on function api.${signature} to service_role`),
  probe: (house) => forbids(denied, () => house.as("service_role", `select api.${call}`)),
});

export const guardsOfRoles: Guard[] = [
  {
    name: "A removed member reads nothing from the next statement on",
    promise: "roles",
    test: "a signed-in member who was removed sees no task",
    without: drop("api.my_role", "and m.status = 'active'"),
    async probe(house) {
      const auth = crypto.randomUUID();
      const name = `w${number()}`;
      given(
        await administer(house, "add_member($1, 'test')", [
          JSON.stringify({ role: "reviewer", name, auth_user_id: auth }),
        ]),
      );
      await signal(house);
      const read = () =>
        house.as("authenticated", "select 1 from public.tasks limit 1", [], { sub: auth });
      if ((await read()).length !== 1) throw new Error("a member sees nothing");
      await house.as("administrator", "select api.remove_member($1, 'test')", [name]);
      expect(await read()).toEqual([]);
    },
  },
  administratorOnly("Adding members", "add_member(jsonb, text)", "add_member('{}', 'x')"),
  administratorOnly(
    "Activating a policy",
    "activate_policy(text, jsonb, text)",
    "activate_policy('x', '{}', 'x')",
  ),
  administratorOnly(
    "Proposing a policy",
    "propose_policy(text, jsonb, jsonb, text)",
    "propose_policy('x', '{}', '{}', 'x')",
  ),
  administratorOnly(
    "Closing an alert",
    "close_alert(uuid, text, text)",
    "close_alert(gen_random_uuid(), 'x', 'x')",
  ),
  administratorOnly(
    "Acknowledging an alert",
    "acknowledge_alert(uuid, text)",
    "acknowledge_alert(gen_random_uuid(), 'x')",
  ),
  administratorOnly(
    "Setting flags",
    "set_flag(text, boolean, text, text)",
    "set_flag('x', false, 'x', 'x')",
  ),
  administratorOnly(
    "Settling an outcome from the terminal",
    "settle_effect(uuid, text, text, text)",
    "settle_effect(gen_random_uuid(), 'x', 'x', 'x')",
  ),
  administratorOnly(
    "Enrolling an authenticator",
    "enroll_second_factor(text, text, text)",
    "enroll_second_factor('x', 'x', 'x')",
  ),
  administratorOnly(
    "Lifting a payment's cap",
    "override_payment_limit(jsonb, text)",
    "override_payment_limit('{}', 'x')",
  ),
  administratorOnly(
    "Setting limits",
    "set_limits(text, jsonb, text)",
    "set_limits('x', '{}', 'x')",
  ),
  {
    name: "The administrator decides nothing",
    promise: "roles",
    test: "a decision is refused to the administrator",
    without: statement("grant execute on function api.decide(jsonb, jsonb) to administrator"),
    probe: (house) =>
      forbids(denied, () => house.as("administrator", "select api.decide('{}', null)")),
  },
  {
    name: "The administrator reserves nothing",
    promise: "roles",
    test: "a reservation is refused to the administrator",
    without: statement(
      "grant execute on function api.reserve_effect(uuid, integer, uuid, text, text, text, jsonb, text) to administrator",
    ),
    probe: (house) =>
      forbids(
        denied,
        () =>
          house.as(
            "administrator",
            "select api.reserve_effect(gen_random_uuid(), 1, gen_random_uuid(), 'x', 'x', 'x', '{}', 'x')",
          ),
      ),
  },
  {
    name: "Every owner is told who may decide from now on",
    promise: "roles",
    test: "a member who joins is announced to the owners",
    without: replace("api.add_member", "'topic', 'member_added'", "'topic', 'nothing'"),
    async probe(house) {
      const id = number();
      given(await addMember(house, "operator", `j${id}`, id));
      expect(
        await one(
          house,
          "select recipient as value from public.notifications where payload_json ->> 'topic' = 'member_added' and payload_json ->> 'name' = $1 and recipient = '1002'",
          [`j${id}`],
        ),
      ).toBe("1002");
    },
  },
  {
    name: "There is always an owner",
    promise: "roles",
    test: "the last owner is not removed",
    without: replace(
      "api.remove_member",
      "v_row.role = 'owner' and not exists",
      "false and not exists",
    ),
    async probe(house) {
      await house.owner(
        "update public.members set status = 'removed', removed_at = private.now() where role = 'owner' and telegram_user_id <> '1002' and status = 'active'",
      );
      const answer = await administer(house, "remove_member('oskar', 'test')");
      await house.owner(
        "update public.members set status = 'active', removed_at = null where telegram_user_id = '1024'",
      );
      refuses(answer, "last_owner");
    },
  },
  {
    name: "A pairing code pairs the first owner alone",
    promise: "roles",
    test: "a pairing code is worth nothing where there is an owner",
    without: drop(
      "private.pair_owner",
      "and not exists (select 1 from public.members m where m.role = 'owner' and m.status = 'active')",
    ),
    async probe(house) {
      const code = `code ${number()}`;
      await house.owner(
        "insert into private.pairing_codes (code_sha256) values (private.sha256_hex($1))",
        [code],
      );
      refuses(await say(house, number(), { type: "start", pairing_code: code }), "pairing_failed");
    },
  },
  {
    name: "A pairing code counts once",
    promise: "roles",
    test: "a pairing code that was used pairs nobody",
    without: all(
      drop("private.pair_owner", "and c.used_at is null"),
    ),
    async probe(house) {
      const code = `code ${number()}`;
      await house.owner(
        "insert into private.pairing_codes (code_sha256, used_at) values (private.sha256_hex($1), private.now())",
        [code],
      );
      await house.owner(
        "update public.members set status = 'removed', removed_at = private.now() where role = 'owner' and status = 'active'",
      );
      const answer = await say(house, number(), { type: "start", pairing_code: code });
      await house.owner(
        "update public.members set status = 'active', removed_at = null where telegram_user_id in ('1002', '1024')",
      );
      refuses(answer, "pairing_failed");
    },
  },
  {
    name: "Nobody stops being watched by leaving the list of members",
    promise: "people",
    test: "a member who is removed is announced to the owners",
    without: replace("api.remove_member", "'topic', 'member_removed'", "'topic', 'nothing'"),
    async probe(house) {
      const id = await newcomer(house, "operator");
      given(await administer(house, "remove_member($1, 'test')", [id]));
      expect(
        await one(
          house,
          "select recipient as value from public.notifications where payload_json ->> 'topic' = 'member_removed' and payload_json ->> 'name' = $1 and recipient = '1002'",
          [`m${id}`],
        ),
      ).toBe("1002");
    },
  },
];
