import { secondFactor } from "../support/line.ts";
import { all, drop, dropTrigger, given, type Guard, never, refuses, replace } from "./guard.ts";
import { confirm, type House, newcomer, removeMember, say, stop } from "./house.ts";

async function resume(house: House, from: string): Promise<string> {
  const asked = given(await say(house, from, { type: "resume", scope: "all", reason: "over" }));
  if (!asked.code) throw new Error(`nothing was asked: ${asked.reply}`);
  return String(asked.code);
}

/** Stopped, asked to go on by one person: the other one's word is refused with this code. */
const unconfirmed = (test: string, asker: string, confirmer: string, code: string) => ({
  test,
  async probe(house: House) {
    await stop(house);
    refuses(await confirm(house, confirmer, await resume(house, asker)), code);
  },
});

export const guardsOfResuming: Guard[] = [
  {
    name: "A reviewer asks for no resume",
    promise: "glass",
    test: "a reviewer does not ask to go on",
    without: never("private.on_resume", "p_member.role not in ('owner', 'operator')"),
    async probe(house) {
      await stop(house);
      refuses(
        await say(house, "1003", { type: "resume", scope: "all", reason: "over" }),
        "wrong_role",
      );
    },
  },
  {
    name: "One person never ends a stop, whatever accounts they have",
    promise: "glass",
    ...unconfirmed(
      "a resume is not confirmed by the other account of who asked",
      "1004",
      "1024",
      "dual_control_violation",
    ),
    without: never(
      "private.confirmation_problem",
      "p_member.person_id in (p_asked.asked_person_id, a.person_id)",
    ),
  },
  {
    name: "Two operators never end a stop",
    promise: "glass",
    ...unconfirmed("a resume of two operators is refused", "1001", "1005", "wrong_role"),
    without: drop("private.confirmation_problem", "or 'owner' not in (a.role, p_member.role)"),
  },
  {
    name:
      "A reviewer confirms nothing (the role, and the person who must be an owner or have asked)",
    promise: "glass",
    ...unconfirmed(
      "a resume that an owner asked for is not confirmed by a reviewer",
      "1002",
      "1003",
      "wrong_role",
    ),
    without: all(
      never("private.on_confirm", "p_member.role not in ('owner', 'operator')"),
      never("private.second_factor_problem", "not private.second_factor_demanded(p_tier)"),
    ),
  },
  {
    name: "Whoever asked must still be who they were",
    promise: "glass",
    test: "a resume is not confirmed after its asker was removed",
    without: drop(
      "private.confirmation_problem",
      "a.status is distinct from 'active' or a.role <> p_asked.asked_role or",
    ),
    async probe(house) {
      const asker = await newcomer(house, "operator");
      await stop(house);
      const code = await resume(house, asker);
      await removeMember(house, asker);
      refuses(await confirm(house, "1002", code), "wrong_role");
    },
  },
  {
    name: "A confirmation counts once (the outcome, and the row that is filled in once)",
    promise: "glass",
    test: "a confirmation that was used does not end another stop",
    without: all(
      drop("private.on_confirm", "or v_asked.outcome is not null"),
      dropTrigger("public.confirmations", "_100_filled_in_once"),
    ),
    async probe(house) {
      await stop(house);
      const code = await resume(house, "1001");
      given(await confirm(house, "1002", code));
      await stop(house);
      refuses(await confirm(house, "1002", code), "unknown_confirmation");
    },
  },
  {
    name: "A confirmation lasts a quarter of an hour",
    promise: "glass",
    test: "a confirmation after fifteen minutes is refused",
    without: drop(
      "private.on_confirm",
      "or (v_asked.outcome is null and v_asked.expires_at <= v_now)",
    ),
    async probe(house) {
      await stop(house);
      const code = await resume(house, "1001");
      await house.clock.advance(900);
      refuses(await confirm(house, "1002", code), "confirmation_expired");
    },
  },
  {
    name: "A newer stop overtakes what was asked before",
    promise: "glass",
    test: "a question of before a stop is not confirmed after it",
    without: replace(
      "private.set_stop",
      "v_voided := private.void_permissions();",
      "v_voided := 0;",
    ),
    async probe(house) {
      await stop(house);
      const code = await resume(house, "1001");
      await stop(house);
      refuses(await confirm(house, "1002", code), "unknown_confirmation");
    },
  },
  {
    name: "Going on takes a second factor",
    promise: "factor",
    test: "a confirmation without a code is refused",
    without: never("private.on_confirm", "v_code is null and v_yes"),
    async probe(house) {
      await stop(house);
      const code = await resume(house, "1001");
      refuses(
        await confirm(house, "1002", code, { second_factor: null }),
        "second_factor_required",
      );
    },
  },
  {
    name: "A wrong code at a confirmation ends no stop",
    promise: "factor",
    test: "a confirmation with a wrong code is refused",
    without: drop("private.second_factor_problem", "p_proof ->> 'valid' = 'true' and"),
    async probe(house) {
      await stop(house);
      const code = await resume(house, "1001");
      const proof = await secondFactor(house, "1002") as object;
      refuses(
        await confirm(house, "1002", code, { second_factor: { ...proof, valid: false } }),
        "second_factor_wrong",
      );
    },
  },
];
