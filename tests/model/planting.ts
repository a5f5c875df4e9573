import type { Command } from "./commands.ts";
import type { Tampering } from "./tampering.ts";

/** The statements with which an owner of the tables would write past every function. */

const newest = (...types: string[]): string =>
  `(select a.artifact_id from public.artifacts a where a.task_id = $1 and a.type in (${
    types.map((type) => `'${type}'`).join()
  }) order by a.created_at desc, a.artifact_id desc limit 1)`;
const rewrite = (text: string, sum: boolean, ...types: string[]): string =>
  `update public.artifacts set content = '${text}'${
    sum ? `, checksum = private.sha256_hex('${text}')` : ""
  } where artifact_id = ${newest(...types)}`;
const request = (change: string): string =>
  `update public.approval_requests set ${change} where request_id =
    (select request_id from public.approval_requests where task_id = $1 order by requested_at desc limit 1)`;
const evaluation = (critic: string, rubric: string, total: string): string =>
  `insert into public.evaluations (task_id, step_id, artifact_id, artifact_checksum, critic, author, rubric, rubric_sha256,
    total, score, threshold, verdict)
  select e.task_id, e.step_id, e.artifact_id, e.artifact_checksum, ${critic}, e.author, e.rubric, repeat('${rubric}', 64),
    ${total}, round(${total} / 9.0, 4), 0.8, 'pass'
  from public.evaluations e where e.task_id = $1 order by e.seq desc limit 1`;

const statements: Record<Tampering, string> = {
  "proposal": rewrite("{}", false, "idea", "proposal"),
  "proposal and its checksum": rewrite("{}", true, "idea", "proposal"),
  "post": rewrite("all in", true, "post"),
  "further post":
    `insert into public.artifacts (task_id, step_id, type, storage_ref, checksum, agent, media_type, content)
    select a.task_id, a.step_id, 'post', a.storage_ref || '+', private.sha256_hex('all in'), a.agent, a.media_type, 'all in'
    from public.artifacts a where a.artifact_id = ${newest("post")}`,
  "score": evaluation("e.critic", "a", "8.5"),
  "critic": evaluation("'critic:another'", "b", "8"),
  "expiry": request("expires_at = expires_at + interval '1 day'"),
  "digest": request("digest = repeat('0', 64)"),
  "tier": "update public.tasks set risk_tier = 'T1' where task_id = $1",
  "tenant": "update public.tasks set tenant_id = 'other' where task_id = $1",
  "goal": "update public.tasks set goal = 'another goal' where task_id = $1",
  "slots": request("required_slots = '{operator_approval}'"),
  "tier of the request": request("tier = 'T1'"),
  "dry run": rewrite("{}", false, "dry_run"),
  "dry run and its checksum": rewrite("{}", true, "dry_run"),
};

export function plantingOf(command: Command, taskId: string, shas: Map<string, string>): string {
  if (command.do === "tamper") return statements[command.what].replaceAll("$1", `'${taskId}'`);
  if (command.do === "lose stop") {
    return `delete from public.emergency_stops where scope = '${command.scope}'`;
  }
  if (command.do === "policy") {
    const sha = [...shas.values()][command.which];
    return `update public.policies set status = 'retired' where status = 'active';
      update public.policies set status = 'active' where policy_sha256 = '${sha}'`;
  }
  throw new Error(`nothing is planted by ${command.do}`);
}
