import { policyDryRun } from "../../functions/_agents/policy-dry-run.ts";
import type { AgentContext } from "../../functions/_agents/agent.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import { policyChangeOf } from "../../functions/_domain/policy-change.ts";
import { policyDigest } from "../../functions/_policy/policy-digest.ts";
import { readPolicy } from "../../functions/orchestrator/policy-record.ts";
import {
  type Answer,
  claim,
  complete,
  decide,
  openCode,
  plan,
  policy,
  policySha256,
  policyText,
  reserve,
  resultOf,
  sha256,
} from "../support/line.ts";
import { given } from "./guard.ts";
import { administer, type House, number, one } from "./house.ts";

const report = {
  replaces: policySha256,
  decisions: "12",
  reproduced: "12",
  not_reproduced: "0",
  loosened: "0",
  tightened: "2",
  not_reproduced_groups: [],
  loosened_groups: [],
  tightened_groups: [],
};
export const body = { ...policy, version: policy.version + 1 };
export const nextText = policyText.replace(/^version: .*$/m, `version: ${body.version}`);
const digest = await policyDigest(body);
const rehearse = (house: House, step: StepWork) =>
  policyDryRun(
    step,
    {
      tool: (_name, run) => run(),
      read_policy: (sha) => readPolicy(house.database, sha),
    } as AgentContext,
  );
export const functions = ["communicator", "critic", "intake", "orchestrator", "telegram-webhook"];

export const propose = (house: House, text: string, actor = "cli:rita"): Promise<Answer> =>
  administer(house, "propose_policy($1, $2, $3, $4)", [
    text,
    JSON.stringify(body),
    JSON.stringify(report),
    actor,
  ]);

export async function work(house: House): Promise<StepWork | null> {
  for (let round = 0; round < 10; round++) {
    const steps = await claim(house, ["planner", "retriever", "critic", "exec"]);
    const effect = steps.find(({ node_id }) => node_id === "execute");
    if (effect || steps.length === 0) return effect ?? null;
    for (const step of steps) {
      if (step.agent_class === "planner") await plan(house, step);
      else if (step.node_id === "act") {
        const content = JSON.stringify({
          action: "POLICY_CHANGE",
          policy: policyChangeOf(step.task.payload)?.change,
        });
        await complete(house, step, {
          artifact: { type: "proposal", media_type: "application/json", content },
        });
      } else if (step.node_id === "dry_run") {
        await complete(house, step, await rehearse(house, step));
      } else await complete(house, step, resultOf(step));
    }
  }
  return null;
}

/** A change that two people approved, its effect's step leased. */
export async function approved(house: House) {
  const text = `${nextText}# guard ${number()}\n`;
  const { task_id } = given(await propose(house, text));
  await work(house);
  const code = await openCode(house, String(task_id));
  if (!code) throw new Error("nobody was asked");
  given(await decide(house, "1001", code));
  given(await decide(house, "1002", code));
  const step = await work(house);
  if (!step) throw new Error("nothing became ready");
  return { text, sha: sha256(text), step };
}

export const adopt = (
  house: House,
  step: StepWork,
  payload: unknown = policyChangeOf(step.task.payload)?.change,
) =>
  reserve(house, step, {
    p_kind: "policy_change",
    p_channel: "internal",
    p_destination: null,
    p_payload: payload,
  });

export const active = (house: House) =>
  one<string>(house, "select private.active_policy_sha256() as value");
export const carried = (house: House, name: string, sha: string, parsed = digest) =>
  house.database.call<Answer>("report_bundle", {
    p_function: name,
    p_instance: "process",
    p_policy_sha256: sha,
    p_body_sha256: parsed,
  });

export const altered = (house: House, sha: string) =>
  house.owner(
    "update public.policies set body = jsonb_set(body, '{second_factor,required}', '[]') where policy_sha256 = $1",
    [sha],
  );
