import type { AgentContext } from "../../functions/_agents/agent.ts";
import { policyDryRun } from "../../functions/_agents/policy-dry-run.ts";
import { policyChangeOf } from "../../functions/_domain/policy-change.ts";
import { Refusal } from "../../functions/_domain/refusal.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import { policyDigest } from "../../functions/_policy/policy-digest.ts";
import { readPolicy } from "../../functions/orchestrator/policy-record.ts";
import type { TestDatabase } from "./database.ts";
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
} from "./line.ts";
import { administer } from "./personas.ts";

/** The policy after the shipped one: the same rules, one version on. */
export const nextText = policyText.replace(/^version: .*$/m, `version: ${policy.version + 1}`);
export const nextBody = { ...policy, version: policy.version + 1 };
export const nextDigest = await policyDigest(nextBody);

/** A replay of twelve decisions, in which nothing got looser. */
export const report = (replaces = policySha256, more: Record<string, unknown> = {}) => ({
  replaces,
  decisions: "12",
  reproduced: "12",
  not_reproduced: "0",
  loosened: "0",
  tightened: "2",
  not_reproduced_groups: [],
  loosened_groups: [],
  tightened_groups: [{
    gate: "evaluate",
    action: "PUBLISH",
    how: "pass (>=0.8) → fail (>=0.95)",
    count: "2",
    examples: ["T-2027-05-01-0001"],
  }],
  ...more,
});

/** Those that must carry a policy before it is active. */
export const functions = ["communicator", "critic", "intake", "orchestrator", "telegram-webhook"];

export function propose(
  db: TestDatabase,
  text = nextText,
  body: unknown = nextBody,
  given: unknown = report(),
  actor: string | null = "cli:rita",
): Promise<Answer> {
  return administer(db, "propose_policy($1, $2, $3, $4)", [
    text,
    JSON.stringify(body),
    JSON.stringify(given),
    actor,
  ]);
}

export const reportBundle = (
  db: TestDatabase,
  name: string,
  sha256: unknown,
  instance = "process",
  body: unknown = nextDigest,
): Promise<Answer> =>
  db.database.call<Answer>("report_bundle", {
    p_function: name,
    p_instance: instance,
    p_policy_sha256: sha256,
    p_body_sha256: body,
  });

/** What the act step leaves: the proposal that names the policy and its replay. */
function proposal(work: StepWork) {
  const asked = policyChangeOf(work.task.payload);
  return {
    artifact: {
      type: "proposal",
      media_type: "application/json",
      content: JSON.stringify({ action: "POLICY_CHANGE", policy: asked?.change }),
    },
  };
}

/** The rehearsal as the orchestrator does it: with what this database has on record, and a refusal is the step's. */
async function rehearse(db: TestDatabase, step: StepWork): Promise<void> {
  const context = {
    tool: (_name, run) => run(),
    read_policy: (sha) => readPolicy(db.database, sha),
  } as AgentContext;
  const refused = await policyDryRun(step, context).then(
    (result) => complete(db, step, result).then(() => null),
    (error) => error instanceof Refusal ? error.code : Promise.reject(error),
  );
  if (refused === null) return;
  await db.database.call("fail_step", {
    p_step_id: step.step_id,
    p_attempt: step.attempt,
    p_lease_token: step.lease_token,
    p_code: refused,
  });
}

/** From the plan to the gate. Returns the effect's step, leased, once people have said yes. */
export async function workOn(db: TestDatabase): Promise<StepWork | null> {
  for (let round = 0; round < 10; round++) {
    const work = await claim(db, ["planner", "retriever", "critic", "exec"]);
    const effect = work.find(({ node_id }) => node_id === "execute");
    if (effect || work.length === 0) return effect ?? null;
    for (const step of work) {
      if (step.agent_class === "planner") await plan(db, step);
      else if (step.node_id === "act") await complete(db, step, proposal(step));
      else if (step.node_id === "dry_run") await rehearse(db, step);
      else await complete(db, step, resultOf(step));
    }
  }
  throw new Error("no gate was reached");
}

export const reserveChange = (
  db: TestDatabase,
  work: StepWork,
  more: Record<string, unknown> = {},
): Promise<Answer> =>
  reserve(db, work, {
    p_kind: "policy_change",
    p_channel: "internal",
    p_destination: null,
    p_payload: policyChangeOf(work.task.payload)?.change,
    ...more,
  });

let wording = 0;
/** Every test proposes another text: what was once in force could be in force again. */
export const fresh = () => `${nextText}# ${++wording}\n`;

/** Approved by both, up to the effect's leased step. */
export async function approved(db: TestDatabase, text = fresh()) {
  const proposed = await propose(db, text);
  if (proposed.refused) throw new Error(`the proposal was refused: ${proposed.refused}`);
  await workOn(db);
  const code = await openCode(db, proposed.task_id as string);
  for (const approver of ["1001", "1002"]) {
    const { refused } = await decide(db, approver, code);
    if (refused) throw new Error(`the yes of ${approver} was refused: ${refused}`);
  }
  const work = await workOn(db);
  if (!work) throw new Error("nothing became ready to execute");
  return { taskId: proposed.task_id as string, code, work, sha: sha256(text) };
}
