import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import type { StepWork } from "../../functions/_domain/task.ts";
import { policyDryRun } from "../../functions/_agents/policy-dry-run.ts";
import type { AgentContext } from "../../functions/_agents/agent.ts";
import { policyChangeOf } from "../../functions/_domain/policy-change.ts";
import { policyDigest } from "../../functions/_policy/policy-digest.ts";
import { Refusal } from "../../functions/_domain/refusal.ts";
import { readPolicy } from "../../functions/orchestrator/policy-record.ts";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  activate,
  addMember,
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

/** One of each role, T3 switched on, the shipped policy in force before every test, and a clock that stands still. */
export let db: TestDatabase;
export let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  await addMember(db, "owner", "oskar", "1002");
  await addMember(db, "reviewer", "rita", "1003");
  clock = await freezeClock(db, "2027-05-01T10:00:00Z");
  await db.owner(
    "insert into public.feature_flags (key, enabled, updated_by, reason) values ('t3_execution_enabled', true, 'test', 'test') on conflict (key) do update set enabled = true",
  );
});
beforeEach(async () => {
  await clock.advance(3600);
  await activate(db);
});
afterAll(() => db.close());

/** The next version, as text and as what the text says. */
export const nextText = policyText.replace(/^version: .*$/m, `version: ${policy.version + 1}`);
export const nextBody = { ...policy, version: policy.version + 1 };
export const nextDigest = await policyDigest(nextBody);

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

export const functions = ["communicator", "critic", "intake", "orchestrator", "telegram-webhook"];

export async function propose(
  db: TestDatabase,
  text = nextText,
  body: unknown = nextBody,
  given: unknown = report(),
  actor: string | null = "cli:rita",
): Promise<Answer> {
  const [{ answer }] = await db.as<{ answer: Answer }>(
    "administrator",
    "select api.propose_policy($1, $2, $3, $4) as answer",
    [text, JSON.stringify(body), JSON.stringify(given), actor],
  );
  return answer;
}

export async function statusOfPolicy(db: TestDatabase, sha256: unknown): Promise<string> {
  const [row] = await db.owner<{ status: string }>(
    "select status from public.policies where policy_sha256 = $1",
    [sha256],
  );
  return row?.status;
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

export const active = async () =>
  (await db.owner<{ sha: string }>("select private.active_policy_sha256() as sha"))[0].sha;
export const problem = async (sha: string | null) =>
  (await db.owner<{ problem: string | null }>("select private.policy_problem($1) as problem", [
    sha,
  ]))[0].problem;

let wording = 0;
/** Every test proposes another text: what was once in force could be in force again. */
export const fresh = () => `${nextText}# ${++wording}\n`;

/** Approved by both, up to the effect's leased step. */
export async function approved(text: string) {
  const proposed = await propose(db, text);
  await workOn(db);
  const code = await openCode(db, proposed.task_id as string);
  await decide(db, "1001", code);
  await decide(db, "1002", code);
  const work = await workOn(db);
  if (!work) throw new Error("nothing became ready to execute");
  return { taskId: proposed.task_id as string, code, work, sha: sha256(text) };
}

/** Approved and reserved: pending. */
export async function pending() {
  const change = await approved(fresh());
  expect(await reserveChange(db, change.work)).toMatchObject({ status: "confirmed" });
  return change;
}
