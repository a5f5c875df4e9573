import { expect } from "vitest";
import { accept, alertEvent, claim, complete, plan, resultOf } from "../support/line.ts";
import { forbids, given, type Guard, never, refuses, replace } from "./guard.ts";
import { type House, undone } from "./house.ts";

const nowhere = "00000000-0000-4000-8000-000000000000";

/** A step of research under a lease. */
async function leased(house: House) {
  given(await accept(house, alertEvent(`batch ${Math.random()}`)));
  for (const step of await claim(house, ["planner"])) given(await plan(house, step));
  const [step] = await claim(house, ["researcher"]);
  return step;
}

const fence = (lost: string) => replace("private.store_results", lost, "true");

export const guardsOfBatches: Guard[] = [
  {
    name: "A batch asks for the token of each lease",
    promise: "steps",
    test: "a result under another token is refused, in a batch too",
    without: fence("s.lease_token = g.lease_token"),
    async probe(house) {
      const step = await leased(house);
      refuses(
        (await complete(house, { ...step, lease_token: nowhere }, resultOf(step)))[0],
        "stale_lease",
      );
    },
  },
  {
    name: "A batch asks for the attempt of each lease",
    promise: "steps",
    test: "a result of another attempt is refused, in a batch too",
    without: fence("s.attempt = g.attempt"),
    async probe(house) {
      const step = await leased(house);
      refuses(
        (await complete(house, { ...step, attempt: step.attempt + 1 }, resultOf(step)))[0],
        "stale_lease",
      );
    },
  },
  {
    name: "The queue alone hands nothing out",
    promise: "steps",
    test: "a step that runs is not handed out again, whatever stands in the queue",
    without: replace("api.claim_steps", "s.status = 'ready' and s.run_at", "s.run_at"),
    async probe(house) {
      const step = await leased(house);
      await house.owner(
        "insert into private.ready_steps select agent_class, run_at, step_id from public.task_steps where step_id = $1",
        [step.step_id],
      );
      expect((await claim(house, ["researcher"])).map(({ step_id }) => step_id)).toEqual([]);
    },
  },
  {
    name: "A change of a step whose audit row was swallowed does not happen",
    promise: "audit",
    test: "a swallowed audit row takes the change of its step with it",
    without: never("private.audit_task_steps", "v_written <> v_changed"),
    async probe(house) {
      const step = await leased(house);
      await forbids("P0001", () =>
        undone(
          house,
          "create function private.planted() returns trigger language plpgsql as 'begin return null; end'",
          "create trigger planted before insert on public.audit_logs for each row execute function private.planted()",
          `update public.task_steps set worker = 'somebody' where step_id = '${step.step_id}'`,
        ));
    },
  },
  {
    name: "The parts of a large bucket give no more than the bucket",
    promise: "rates",
    test: "a door of 1,600 takes the 1,601st delivery no more than one bucket would",
    without: replace("private.take_door_token", "p_burst / v_parts", "p_burst"),
    async probe(house) {
      const [{ taken }] = await house.owner<{ taken: number }>(
        `select count(*) filter (where private.take_door_token('door:of:the:probe', 1600, 1600) = 0)::int as taken
         from generate_series(1, 1700)`,
      );
      expect(taken).toBe(1600);
    },
  },
];
