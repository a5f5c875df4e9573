import { policyChangeOf } from "../../functions/_domain/policy-change.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import type { Answer } from "../support/line.ts";
import { reportBundle, reserveChange } from "../support/next-policy.ts";
import { type House, one } from "./house.ts";

export const adopt = (
  house: House,
  step: StepWork,
  payload: unknown = policyChangeOf(step.task.payload)?.change,
): Promise<Answer> => reserveChange(house, step, { p_payload: payload });

export const active = (house: House) =>
  one<string>(house, "select private.active_policy_sha256() as value");
export const carried = (house: House, name: string, sha: string, parsed?: string) =>
  reportBundle(house, name, sha, "process", parsed);

export const altered = (house: House, sha: string) =>
  house.owner(
    "update public.policies set body = jsonb_set(body, '{second_factor,required}', '[]') where policy_sha256 = $1",
    [sha],
  );
