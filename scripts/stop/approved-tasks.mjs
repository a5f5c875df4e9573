// Tasks at the last step before their effect: planned, done, passed by a critic, approved by a person over a signed decision.
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { parse } from "yaml";
import { read } from "./scratch.mjs";

const sha256 = (value) => createHash("sha256").update(value).digest("hex");
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

function signer() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const key_id = sha256(raw).slice(0, 16);
  return {
    publicKey: raw.toString("base64"),
    sign({ code, digest, person_id: person, role }) {
      const fields = {
        code,
        decision: "approve",
        digest,
        person,
        role,
        signed_at: new Date().toISOString(),
      };
      const signature = sign(null, Buffer.from(JSON.stringify(fields)), privateKey).toString(
        "base64",
      );
      return { ...fields, key_id, signature };
    },
  };
}

function unlessRefused(answer, what) {
  const refused = [answer].flat().find(({ refused }) => refused);
  if (refused) throw new Error(`${what} was refused: ${JSON.stringify(refused)}`);
  return answer;
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

/**
 * Tasks at their gate, and the yes that each waits for. `postOf` is the text that a task's publication would have.
 * Returns the policy's sha256, which executors work under, and `approve`, which lets the next task through.
 */
export async function prepareAtGate(scratch, count, postOf = () => post) {
  const text = await read("policies/policy.yaml");
  const policy = parse(text);
  const policySha256 = sha256(text);
  const activate = { p_text: text, p_body: policy, p_actor: "test:stop" };
  unlessRefused(await scratch.call("activate_policy", activate, "administrator"), "the policy");
  // A person may send sixty commands a minute.
  const people = Array.from({ length: Math.ceil(count / 50) }, (_, i) => String(1001 + i));
  for (const id of people) {
    const p_member = { role: "operator", name: `operator-${id}`, telegram_user_id: id };
    unlessRefused(
      await scratch.call("add_member", { p_member, p_actor: "test:stop" }, "administrator"),
      "a member",
    );
  }
  for (let i = 0; i < count; i++) {
    const p_event = {
      source: "desk",
      source_name: "stop",
      body_sha256: sha256(`${i}`),
      body: `${i}`,
      actor: "desk",
      goal: `Post ${i}`,
      action: "PUBLISH",
      payload: { i },
    };
    unlessRefused(await scratch.call("accept_event", { p_event }), "an event");
  }
  await workToGate(scratch, policy, policySha256, postOf);
  const key = signer();
  await scratch.call("report_signing_key", { p_public_key: key.publicKey });
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
      const from = people[i % people.length];
      const p_update = {
        update_id: String(i + 1),
        kind: "message",
        from_id: from,
        chat_id: from,
        channel: "telegram",
        receipt: {},
        intent: { type: "approve", code: open[i].code, decision: "approve", reason: null },
        policy_sha256: policySha256,
      };
      const { subject } = await scratch.call("prepare_decision", { p_update });
      const p_signed = key.sign(subject);
      unlessRefused(await scratch.call("decide", { p_update, p_signed }), "a decision");
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
