import { expect } from "vitest";
import { approvedSignal, reserve, start } from "../support/line.ts";
import { checked, granted, reserveAccess, vipChat } from "../support/payments.ts";
import { administer } from "../support/personas.ts";
import { all, drop, forbids, given, type Guard, never, refuses, replace } from "./guard.ts";
import { number, one, say, stop } from "./house.ts";
import { access } from "./desk.ts";

/** The second look, which raises where the first one was taken away. */
const lastLook = replace(
  "private.use_break_glass",
  "raise exception 'task % is stopped', p_task_id;",
  "return;",
);

export const guardsOfStops: Guard[] = [
  {
    name: "A stop holds every reservation (the gate, and the last look behind it)",
    promise: "stop",
    test: "a post that people approved is not reserved after a stop",
    without: all(
      never("private.effect_problem", "private.stop_problem(p_task) is not null"),
      lastLook,
    ),
    async probe(house) {
      const { work } = await approvedSignal(house);
      given(await stop(house));
      refuses(await reserve(house, work), "stopped");
    },
  },
  {
    name: "A stop holds what was reserved before it",
    promise: "stop",
    test: "an effect that was reserved before a stop does not leave",
    without: all(
      never("private.effect_problem", "private.stop_problem(p_task) is not null"),
      lastLook,
    ),
    async probe(house) {
      const { work } = await approvedSignal(house);
      const { effect_id } = given(await reserve(house, work));
      given(await stop(house));
      refuses(await start(house, effect_id, work), "stopped");
    },
  },
  {
    name: "A stop that cannot be read stands",
    promise: "stop",
    test: "nothing is reserved while the row of the stop is missing",
    without: replace("private.is_stopped", ", true)", ", false)"),
    async probe(house) {
      const { work } = await approvedSignal(house);
      await house.owner("delete from public.emergency_stops where scope = 'all'");
      refuses(await reserve(house, work), "stopped");
    },
  },
  {
    name: "A stop of T3 holds T3",
    promise: "stop",
    test: "a paid access is not reserved after a stop of T3",
    without: drop(
      "private.stop_holds",
      "or (coalesce(private.effective_tier(p_task), 'T3') = 'T3' and private.is_stopped('t3'))",
    ),
    async probe(house) {
      const { grant, work } = await access(house);
      given(await stop(house, "t3"));
      refuses(await reserveAccess(house, work, grant), "stopped");
    },
  },
  {
    name: "No effect starts on an older snapshot than the stop",
    promise: "stop",
    test: "a reservation in a repeatable-read transaction fails",
    without: never(
      "private.share_stop_lock",
      "current_setting('transaction_isolation') not in ('read committed', 'read uncommitted')",
    ),
    probe: (house) =>
      forbids("0A000", () =>
        house.pg.transaction(async (tx) => {
          await tx.exec("set transaction isolation level repeatable read; set local role postgres");
          await tx.query("select api.start_effect(gen_random_uuid(), 1, gen_random_uuid())");
        })),
  },
  {
    name: "Nobody is let in while a stop stands",
    promise: "stop",
    test: "a request to join that was granted waits while a stop stands",
    without: drop(
      "api.claim_notifications",
      "and (n.kind <> 'join_approval' or private.stop_problem((select t from public.tasks t where t.task_id = n.task_id)) is null)",
    ),
    async probe(house) {
      const buyer = number();
      await checked(house, buyer);
      await granted(house, buyer);
      await house.owner(
        "update public.notifications set status = 'failed' where status = 'queued'",
      );
      await say(house, buyer, { type: "join", chat_id: vipChat, user_id: buyer }, {
        vip_chat_id: vipChat,
      });
      given(await stop(house));
      const work = await house.database.call<{ kind: string }[]>("claim_notifications", {
        p_worker: "test",
        p_limit: 100,
      });
      expect(work.map(({ kind }) => kind)).not.toContain("join_approval");
    },
  },
  {
    name: "A reviewer stops nothing",
    promise: "stop",
    test: "a reviewer's stop is refused",
    without: never("private.on_stop", "p_member.role not in ('owner', 'operator')"),
    probe: async (house) => refuses(await stop(house, "all", "1003"), "wrong_role"),
  },
  {
    name: "Whoever stops is never told to wait",
    promise: "stop",
    test: "a stop is taken from somebody who has written too much",
    without: drop("private.take_update", "v_type is distinct from 'stop' and"),
    async probe(house) {
      for (let i = 0; i < 61; i++) await say(house, "1001", { type: "help" });
      expect((await stop(house)).refused).toBeUndefined();
    },
  },
  {
    name: "Nobody lifts a stop from the terminal",
    promise: "roles",
    test: "the administrator's command only stops",
    without: replace(
      "private.set_stop",
      "values (p_scope, 'stopped',",
      "values (p_scope, 'running',",
    ),
    async probe(house) {
      given(await administer(house, "stop('all', 'smoke', 'cli:jane')"));
      await house.owner("delete from public.emergency_stops where scope = 'all'");
      given(await administer(house, "stop('all', 'smoke', 'cli:jane')"));
      expect(
        await one(house, "select state as value from public.emergency_stops where scope = 'all'"),
      ).toBe("stopped");
    },
  },
];
