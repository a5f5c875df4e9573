import { expect } from "vitest";
import { confirm as confirmEffect, reserve, start } from "../support/line.ts";
import {
  all,
  dropConstraint,
  dropTrigger,
  forbids,
  given,
  type Guard,
  never,
  refuses,
  replace,
} from "./guard.ts";
import {
  approvedPost,
  confirm,
  type House,
  newcomer,
  one,
  post,
  say,
  setPolicy,
  signal,
  stop,
} from "./house.ts";

const ask = (house: House, from: string, id: string, more = {}) =>
  say(house, from, { type: "breakglass", id, reason: "the position must be closed" }, more);

const live = (find: string, put = "") => replace("private.live_grant", find, put);

/** An approved post under a stop, with a grant of these two people. */
async function broken(house: House, asker = "1001", owner = "1002") {
  const approved = await approvedPost(house);
  given(await stop(house));
  const { code } = given(await ask(house, asker, approved.taskId));
  given(await confirm(house, owner, code));
  return approved;
}

export const guardsOfBrokenGlass: Guard[] = [
  {
    name: "A grant lets one task through",
    promise: "glass",
    test: "a grant for one task lets no other one start",
    without: live("g.task_id = p_task_id and"),
    async probe(house) {
      const other = await approvedPost(house);
      await broken(house);
      refuses(await reserve(house, other.work), "stopped");
    },
  },
  {
    name: "A grant lasts a quarter of an hour",
    promise: "glass",
    test: "a grant that is over lets nothing start",
    without: live("and g.expires_at > private.now()"),
    async probe(house) {
      const { work } = await broken(house);
      await house.clock.advance(900);
      refuses(await reserve(house, work), "stopped");
    },
  },
  {
    name: "No grant is longer, whatever the policy says (the function and the tables' constraints)",
    promise: "glass",
    test: "a policy of ten hours breaks the glass for fifteen minutes",
    without: all(
      replace(
        "private.minutes",
        "least(greatest(private.policy_number(15, 'emergency', p_key), 1), 15)",
        "private.policy_number(15, 'emergency', p_key)",
      ),
      dropConstraint("public.confirmations", "confirmation_lasts_at_most_15_minutes"),
      dropConstraint("public.break_glass_grants", "grant_lasts_at_most_15_minutes"),
    ),
    async probe(house) {
      await setPolicy(house, "{emergency}", { confirm_minutes: 600, break_glass_minutes: 600 });
      // The digest holds the policy's name, so the approval stands.
      const { taskId } = await broken(house);
      expect(
        await one(
          house,
          "select (expires_at - granted_at <= interval '15 minutes') as value from public.break_glass_grants where task_id = $1",
          [taskId],
        ),
      ).toBe(true);
    },
  },
  {
    name: "A grant is used once",
    promise: "glass",
    test: "a grant is over once its effect has left",
    without: live(
      "else exists (select 1 from public.effects e where e.effect_id = g.effect_id and e.status = 'reserved') end",
      "else true end",
    ),
    async probe(house) {
      const { taskId, work } = await broken(house);
      const { effect_id } = given(await reserve(house, work));
      given(await start(house, effect_id, work));
      given(await confirmEffect(house, effect_id, work));
      expect(
        await one(
          house,
          "select private.stop_problem(t) as value from public.tasks t where task_id = $1",
          [taskId],
        ),
      ).toBe("stopped");
    },
  },
  {
    name: "A later stop takes grants back",
    promise: "glass",
    test: "a grant of before another stop lets nothing start",
    without: replace(
      "private.set_stop",
      "v_voided := private.void_permissions();",
      "v_voided := 0;",
    ),
    async probe(house) {
      const { work } = await broken(house);
      await stop(house);
      refuses(await reserve(house, work), "stopped");
    },
  },
  {
    name: "A grant counts while two persons stand behind it",
    promise: "glass",
    test: "a grant of two accounts that are one person's lets nothing start",
    without: live("and a.person_id <> c.person_id"),
    async probe(house) {
      const [asker, owner] = [await newcomer(house, "operator"), await newcomer(house, "owner")];
      const { work } = await broken(house, asker, owner);
      await house.owner(
        "update public.members set person_id = (select person_id from public.members where telegram_user_id = $1) where telegram_user_id = $2",
        [asker, owner],
      );
      refuses(await reserve(house, work), "stopped");
    },
  },
  {
    name: "A grant counts while an owner stands behind it",
    promise: "glass",
    test: "a grant whose owner was demoted lets nothing start",
    without: live("and 'owner' in (a.role, c.role)"),
    async probe(house) {
      const owner = await newcomer(house, "owner");
      const { work } = await broken(house, "1001", owner);
      await house.owner("update public.members set role = 'operator' where telegram_user_id = $1", [
        owner,
      ]);
      refuses(await reserve(house, work), "stopped");
    },
  },
  {
    name: "A grant counts while both are members",
    promise: "glass",
    test: "a grant of somebody who was removed lets nothing start",
    without: live("and a.status = 'active'"),
    async probe(house) {
      const asker = await newcomer(house, "operator");
      const { work } = await broken(house, asker);
      await house.as("administrator", "select api.remove_member($1, 'test')", [asker]);
      refuses(await reserve(house, work), "stopped");
    },
  },
  {
    name: "A broken glass replaces no approval",
    promise: "glass",
    test: "a grant lets nothing start that has changed since it was approved",
    without: replace(
      "private.approval_problem",
      "private.request_drifted(p_task, p_request)",
      "false",
    ),
    async probe(house) {
      const { taskId, work } = await broken(house);
      await house.owner("update public.tasks set goal = 'another' where task_id = $1", [taskId]);
      refuses(await reserve(house, work), "digest_drift");
    },
  },
  {
    name: "The requester does not break the glass",
    promise: "glass",
    test: "the glass is not broken by another account of the person who asked for the task",
    without: never(
      "private.glass_problem",
      "p_person_id in (p_task.requester_person_id, private.person_of(p_task.actor))",
    ),
    async probe(house) {
      const { taskId } = await signal(house, { actor: "telegram:1004" });
      await stop(house);
      refuses(await ask(house, "1014", taskId), "self_approval");
    },
  },
  {
    name: "A simulated decision breaks no glass",
    promise: "glass",
    test: "the glass is not broken from the console",
    without: never("private.glass_problem", "p_channel = 'local-simulated'"),
    async probe(house) {
      const { taskId } = await post(house);
      await stop(house);
      refuses(await ask(house, "1001", taskId, { channel: "local-simulated" }), "local_decision");
    },
  },
  {
    name: "A reviewer breaks no glass",
    promise: "glass",
    test: "a reviewer does not ask to break the glass",
    without: never("private.on_breakglass", "p_member.role not in ('owner', 'operator')"),
    async probe(house) {
      const { taskId } = await post(house);
      await stop(house);
      refuses(await ask(house, "1003", taskId), "wrong_role");
    },
  },
  {
    name: "Owners hear of a broken glass",
    promise: "glass",
    test: "a grant that is used is announced to the owners",
    without: never("private.use_break_glass", "v_grant.used_at is null"),
    async probe(house) {
      const { taskId, work } = await broken(house);
      given(await reserve(house, work));
      expect(
        await one(
          house,
          "select recipient as value from public.notifications where task_id = $1 and payload_json ->> 'topic' = 'break_glass_used' and recipient = '1002'",
          [taskId],
        ),
      ).toBe("1002");
    },
  },
  ...[
    ["confirmations", "outcome = 'declined'"],
    ["break_glass_grants", "reason = 'another'"],
  ].map(([table, change]): Guard => ({
    name: `What stands in ${table} is filled in once`,
    promise: "history",
    test: `a row of ${table} is not written over`,
    without: dropTrigger(`public.${table}`, "_100_filled_in_once"),
    async probe(house) {
      const { taskId } = await broken(house);
      await forbids(
        "AGHIS",
        () => house.owner(`update public.${table} set ${change} where task_id = $1`, [taskId]),
      );
    },
  })),
];
