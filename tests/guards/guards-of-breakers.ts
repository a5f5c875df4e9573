import { expect } from "vitest";
import { type Answer, approvedSignal, fail, reserve, start } from "../support/line.ts";
import { administer } from "../support/personas.ts";
import {
  all,
  drop,
  dropConstraint,
  dropTrigger,
  forbids,
  type Guard,
  refuses,
  replace,
} from "./guard.ts";
import { type House, one } from "./house.ts";

const tool = "quotes.read";
const admit = (house: House) => house.database.call<Answer>("admit_call", { p_tool: tool });
const report = (house: House, p_outcome: string, p_probe: unknown = null) =>
  house.database.call<Answer>("report_call", { p_tool: tool, p_probe, p_outcome });
const fresh = (house: House) => administer(house, "reset_breaker($1, 'a probe', 'test')", [tool]);
const trip = (house: House) => administer(house, "trip_breaker($1, 'a probe', 'test')", [tool]);
const set = (house: House, columns: string) =>
  house.owner(`update public.circuit_breakers set ${columns} where tool = '${tool}'`);

async function fails(house: House, times: number): Promise<void> {
  await fresh(house);
  await report(house, "success");
  for (let i = 0; i < times; i++) await report(house, "failure");
}

export const guardsOfBreakers: Guard[] = [
  {
    name: "A tool that fails five times in a row within a minute is left alone",
    promise: "tools",
    test: "the call after the fifth failure is refused",
    without: all(
      dropConstraint("public.circuit_breakers", "five_failures_within_a_minute_open_it"),
      replace("private.count_failure", "cardinality(v_times) = 5", "false"),
    ),
    async probe(house) {
      await fails(house, 5);
      refuses(await admit(house), "breaker_open");
    },
  },
  {
    name: "No breaker is closed over five failures within a minute, whoever counted them",
    promise: "tools",
    test: "a row that says so is refused by the table",
    without: dropConstraint("public.circuit_breakers", "five_failures_within_a_minute_open_it"),
    async probe(house) {
      await fails(house, 0);
      await forbids(
        "23514",
        () =>
          set(house, "consecutive_failures = 5, failed_at = array_fill(private.now(), array[5])"),
      );
    },
  },
  {
    name: "A breaker moves along its edges",
    promise: "machine",
    test: "an open breaker is not closed without a probe",
    without: dropTrigger("public.circuit_breakers", "_100_guard_breaker"),
    async probe(house) {
      await trip(house);
      await forbids(
        "AGTRN",
        () => set(house, "state = 'closed', opened_at = null, first_opened_at = null"),
      );
      await fresh(house);
    },
  },
  {
    name: "A probe that was given to another says nothing any more",
    promise: "tools",
    test: "a late answer of the first probe does not close what the second is asking",
    without: replace("api.report_call", "p_probe = v_breaker.probe_token", "p_probe is not null"),
    async probe(house) {
      await trip(house);
      await house.clock.advance(120);
      const { probe } = await admit(house);
      await house.clock.advance(60);
      await admit(house);
      refuses(await report(house, "success", probe), "stale_lease");
      await fresh(house);
    },
  },
  {
    name: "A step whose tool is away is not failed by it",
    promise: "tools",
    test: "three meetings with an open breaker leave the step without a failure",
    without: drop(
      "api.fail_step",
      "  if v_outcome = 'park' and v_tool is not null then\n    return private.park_step(v_step, v_tool, p_error);\n  end if;\n",
    ),
    async probe(house) {
      const { work } = await approvedSignal(house);
      await fail(house, work, "breaker_open", { p_tool: "telegram.post" });
      const kept = await one<string>(
        house,
        "select coalesce(max(tool), 'nobody') as value from public.fallback_queue where step_id = $1 and drained_at is null",
        [work.step_id],
      );
      expect(kept).toBe("telegram.post");
    },
  },
  {
    name: "What left is unknown, also where the breaker opened meanwhile",
    promise: "once",
    test: "an effect that has left is not put aside to be sent again",
    without: drop(
      "api.fail_step",
      "  if exists (select 1 from public.effects e where e.step_id = p_step_id and e.status = 'sent') then\n    -- The call had left: whatever its worker says of itself, nobody saw the answer.\n    perform private.mark_effect_unknown(p_step_id);\n    return jsonb_build_object('status', 'stale', 'task_status', 'paused');\n  end if;\n",
    ),
    async probe(house) {
      const { work } = await approvedSignal(house);
      const { effect_id } = await reserve(house, work);
      await start(house, effect_id, work);
      await fail(house, work, "breaker_open", { p_tool: "telegram.post" });
      const status = await one<string>(
        house,
        "select status as value from public.effects where effect_id = $1",
        [effect_id],
      );
      expect(status).toBe("unknown");
    },
  },
  {
    name: "A dead letter stays as it was written",
    promise: "history",
    test: "what a step said before it failed for good is not rewritten",
    without: dropTrigger("public.dead_letters", "_100_filled_in_once"),
    async probe(house) {
      await house.owner(
        `insert into public.dead_letters (step_id, task_id, node_id, agent, code, idempotency_key, attempts, errors, first_failed_at, last_failed_at)
         select s.step_id, s.task_id, s.node_id, s.agent, 'internal', 'k', 3, '[]', private.now(), private.now()
         from public.task_steps s where not exists (select 1 from public.dead_letters l where l.step_id = s.step_id) limit 1`,
      );
      await forbids("AGHIS", () => house.owner("update public.dead_letters set errors = '[1]'"));
    },
  },
];
