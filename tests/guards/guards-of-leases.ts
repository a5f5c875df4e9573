import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { StepWork } from "../../functions/_domain/task.ts";
import {
  accept,
  alertEvent,
  type Answer,
  approvedSignal,
  claim,
  lease,
  reserve,
  start,
} from "../support/line.ts";
import { given, type Guard, never, refuses, replace } from "./guard.ts";
import type { House } from "./house.ts";

async function leased(house: House): Promise<StepWork> {
  const { task_id } = given(await accept(house, alertEvent(`BUY ${randomUUID()}`)));
  const work = (await claim(house, ["planner"])).find((step) => step.task_id === task_id);
  if (work === undefined) throw new Error("nothing to plan");
  return work;
}

async function giveBack(house: House, work: StepWork): Promise<Answer> {
  const { step_id, attempt, lease_token } = work;
  const [answer] = await house.database.call<Answer[]>("return_steps", {
    p_leases: [{ step_id, attempt, lease_token }],
    p_reason: "its worker is ending",
  });
  return answer;
}

const outcome = (house: House, work: StepWork) =>
  house.database.call<Answer>("call_outcome", lease(work));

export const guardsOfLeases: Guard[] = [
  {
    name: "Only its holder gives a step back",
    promise: "steps",
    test: "a step that another worker holds is not given back",
    without: never("private.return_step", "v_step.step_id is null"),
    async probe(house) {
      const work = await leased(house);
      refuses(await giveBack(house, { ...work, lease_token: randomUUID() }), "stale_lease");
    },
  },
  {
    name: "An effect that has left keeps its step",
    promise: "once",
    test: "a step whose effect was started is not given back for another to start",
    without: never(
      "private.return_step",
      "exists (select 1 from public.effects e where e.step_id = p_step_id and e.status = 'sent')",
    ),
    async probe(house) {
      const { work } = await approvedSignal(house);
      const { effect_id } = given(await reserve(house, work));
      given(await start(house, effect_id, work));
      expect(await giveBack(house, work)).toMatchObject({ status: "running" });
    },
  },
  {
    name: "A lost answer is looked up by the lease",
    promise: "steps",
    test: "a worker whose lease is another's now is not told that it holds it",
    without: replace(
      "api.call_outcome",
      "case when s.lease_token = p_lease_token then 'held' else 'lost' end",
      "'held'",
    ),
    async probe(house) {
      const work = await leased(house);
      const stranger = { ...work, lease_token: randomUUID() };
      expect(await outcome(house, stranger)).toMatchObject({ lease: "lost" });
    },
  },
  {
    name: "A lost answer is looked up by the attempt",
    promise: "steps",
    test: "a worker whose step another attempt has completed is not told that it did",
    without: never("api.call_outcome", "s.attempt is distinct from p_attempt"),
    async probe(house) {
      const work = await leased(house);
      given(await giveBack(house, work));
      const again = (await claim(house, ["planner"])).find(({ step_id }) =>
        step_id === work.step_id
      );
      if (again === undefined) throw new Error("nothing was given back");
      expect(await outcome(house, work)).toMatchObject({ lease: "lost" });
      expect(await outcome(house, { ...work, lease_token: again.lease_token })).toMatchObject({
        lease: "lost",
      });
    },
  },
];
