// Tasks at the last step before their effect: planned, done, passed by a critic, approved by a person over a signed decision.
import { parse } from "yaml";
import { addMembers, openDecisions, sha256, unlessRefused } from "./decision.mjs";
import { read } from "./scratch.mjs";

export const post = "Nothing of this is ever sent.";

const leaseOf = ({ step_id, attempt, lease_token }) => ({ step_id, attempt, lease_token });
export const fence = ({ step_id, attempt, lease_token }) => ({
  p_step_id: step_id,
  p_attempt: attempt,
  p_lease_token: lease_token,
});

function resultOf(work, postOf) {
  const artifact = (type, content = "{}") => ({ type, media_type: "application/json", content });
  if (work.agent_class === "critic") {
    const act = work.inputs.findLast(({ node_id, type }) => node_id === "act" && type !== "post");
    const rubric = { policy: 1, evidence: 2, factuality: 3, clarity: 2, risk: 1 };
    const evaluation = {
      artifact_id: act.artifact_id,
      rubric,
      red_flags: [],
      checks: [],
      verdict: "pass",
    };
    return { artifact: artifact("evaluation"), evaluation };
  }
  return work.node_id === "act"
    ? { artifact: artifact("result"), post: postOf(work) }
    : { artifact: artifact(work.agent_class === "retriever" ? "retrieval" : "research") };
}

async function workToGate(scratch, policy, policySha256, postOf) {
  for (;;) {
    const agents = ["planner", "researcher", "retriever", "exec", "critic"];
    const claimed = await scratch.call("claim_steps", {
      p_worker: "prepare",
      p_limit: 100,
      p_agents: agents,
    });
    if (claimed.length === 0) return;
    for (const step of claimed.filter(({ agent_class }) => agent_class === "planner")) {
      const plan = { flow: "publish", nodes: policy.flows.publish.nodes };
      const args = { ...fence(step), p_plan: plan, p_policy_sha256: policySha256 };
      unlessRefused(await scratch.call("record_plan", args), "a plan");
    }
    const others = claimed.filter(({ agent_class }) => agent_class !== "planner");
    if (others.length === 0) continue;
    const p_results = others.map((work) => ({ ...leaseOf(work), result: resultOf(work, postOf) }));
    unlessRefused(
      await scratch.call("complete_steps", { p_results, p_policy_sha256: policySha256 }),
      "a result",
    );
  }
}

/** Makes the policy of this checkout the active one; returns it with its sha256, which executors work under. */
export async function activatePolicy(scratch) {
  const text = await read("policies/policy.yaml");
  const policy = parse(text);
  const activate = { p_text: text, p_body: policy, p_actor: "test:stop" };
  unlessRefused(await scratch.call("activate_policy", activate, "administrator"), "the policy");
  return { policy, policySha256: sha256(text) };
}

/** What a desk asks for, as the door hands it on. */
export const deskEvent = (name, action, payload) => {
  const body = JSON.stringify(payload);
  return {
    source: "desk",
    source_name: name,
    body_sha256: sha256(body),
    body,
    actor: "desk",
    goal: `${action} ${body}`,
    action,
    payload,
  };
};

/**
 * Tasks at their gate, and the yes that each waits for. `postOf` is the text that a task's publication would have.
 * Returns the policy's sha256, and `approve`, which lets the next task through.
 */
export async function prepareAtGate(scratch, count, postOf = () => post) {
  const { policy, policySha256 } = await activatePolicy(scratch);
  const people = await addMembers(scratch, "operator", count, 1001);
  for (let i = 0; i < count; i++) {
    const p_event = deskEvent("stop", "PUBLISH", { i });
    unlessRefused(await scratch.call("accept_event", { p_event }), "an event");
  }
  await workToGate(scratch, policy, policySha256, postOf);
  const approve = await openDecisions(scratch, policySha256);
  const open = await scratch.owner(
    "select code, task_id from public.approval_requests where status = 'open' order by code",
  );
  if (open.length !== count) throw new Error(`${open.length} of ${count} tasks reached their gate`);
  let next = 0;
  return {
    policySha256,
    /** The task that was let through; null when none is left. */
    async approve() {
      if (next >= open.length) return null;
      const i = next++;
      await approve(people[i % people.length], open[i].code);
      return open[i].task_id;
    },
  };
}

/** Returns the policy's sha256, which executors work under. */
export async function prepareApprovedTasks(scratch, count) {
  const { policySha256, approve } = await prepareAtGate(scratch, count);
  while (await approve() !== null);
  return policySha256;
}
