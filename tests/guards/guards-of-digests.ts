import { approvedSignal, policy, policyText, reserve, sha256 } from "../support/line.ts";
import { approvedAccess, checked, override, quote, reserveAccess } from "../support/payments.ts";
import { all, drop, type Guard, refuses, type Removal, replace } from "./guard.ts";
import { type House, number, setPolicy } from "./house.ts";

/** One field of what an approval is bound to: how it is taken out of the digest, and how somebody would change it. */
interface Field {
  name: string;
  find: string;
  put?: string;
  also?: Removal;
  change(house: House, taskId: string): Promise<unknown>;
  more?: Record<string, unknown>;
}

const sql = (text: string) => (house: House, taskId: string) => house.owner(text, [taskId]);

const laterEvaluation = (change: Record<string, string>) => {
  const columns = ["critic", "rubric_sha256", "total", "score"];
  return sql(
    `insert into public.evaluations (task_id, step_id, artifact_id, artifact_checksum, author, rubric, threshold, verdict, ${
      columns.join(", ")
    })
     select task_id, step_id, artifact_id, artifact_checksum, author, rubric, threshold, verdict, ${
      columns.map((name) => change[name] ?? name).join(", ")
    } from public.evaluations where task_id = $1`,
  );
};

const reworded = `${policyText}# reworded\n`;

const fields: Field[] = [
  {
    name: "the tenant",
    find: "v_task.tenant_id",
    change: sql("update public.tasks set tenant_id = 'other' where task_id = $1"),
  },
  {
    name: "the action",
    find: "'action', v_task.action",
    put: "'action', ''",
    change: sql("update public.tasks set action = 'SOCIAL_POST' where task_id = $1"),
  },
  {
    name: "the tier (and the request's own tier)",
    find: "'tier', v_task.risk_tier",
    put: "'tier', ''",
    also: drop("private.request_drifted", "or p_request.tier is distinct from p_task.risk_tier"),
    change: sql("update public.tasks set risk_tier = 'T1' where task_id = $1"),
  },
  {
    name: "the inputs",
    find: "private.sha256_hex(v_task.goal || '|' || v_task.payload_json::text)",
    change: sql('update public.tasks set payload_json = \'{"entry": "1"}\' where task_id = $1'),
  },
  {
    name: "an artifact's bytes",
    find: "private.sha256_hex(a.content)) order by a.type",
    put: "'') order by a.type",
    change: sql(
      "update public.artifacts set content = 'all in', checksum = private.sha256_hex('all in') where task_id = $1 and type = 'post'",
    ),
    more: { p_payload: { text: "all in" } },
  },
  {
    name: "the rubric",
    find: "v_evaluation.rubric_sha256",
    change: laterEvaluation({ rubric_sha256: "repeat('a', 64)" }),
  },
  {
    name: "the score",
    find: "v_evaluation.score::text",
    change: laterEvaluation({ total: "8", score: "round(8 / 9.0, 4)" }),
  },
  {
    name: "the critic",
    find: "v_evaluation.critic",
    change: laterEvaluation({ critic: "'critic:other'" }),
  },
  {
    name: "the policy",
    find: "private.active_policy_sha256()",
    change: (house) =>
      house.owner("select private.install_policy($1, $2, 'test')", [
        reworded,
        JSON.stringify(policy),
      ]),
    more: { p_policy_sha256: sha256(reworded) },
  },
  {
    name: "the roles asked for (and the request's own slots)",
    find: "to_jsonb((private.task_rule(v_task)).slots)",
    also: drop(
      "private.request_drifted",
      "or p_request.required_slots is distinct from (private.task_rule(p_task)).slots",
    ),
    change: (house) =>
      setPolicy(house, "{approvals,T2}", ["critic>=0.8", "operator_approval", "owner_approval"]),
  },
  {
    name: "the expiry",
    find: "private.iso(p_expires_at)",
    change: sql(
      "update public.approval_requests set expires_at = expires_at + interval '1 day' where task_id = $1",
    ),
  },
];

const withoutField = ({ find, put = "''", also }: Field): Removal =>
  all(replace("private.bound_to", find, put), ...also ? [also] : []);

/** What only a T3 effect is bound to, shown on a paid access. */
const paid: Field[] = [
  {
    name: "the dry run",
    find: "private.sha256_hex((private.dry_run_of(p_task_id)).content)",
    change: sql(
      `update public.artifacts set content = n.content, checksum = private.sha256_hex(n.content)
       from (select jsonb_set(content::jsonb, '{lines}', '["another"]')::text as content from public.artifacts
         where task_id = $1 and type = 'dry_run') n where task_id = $1 and type = 'dry_run'`,
    ),
  },
  {
    name: "the limits",
    find: "private.limit_settings(v_task)",
    async change(house, taskId) {
      const [{ order_id }] = await house.owner<{ order_id: string }>(
        "select order_id from public.payment_orders where task_id = $1",
        [taskId],
      );
      await override(house, { order_id, owner: "oskar", max_usdt: "900", reason: "known" });
    },
  },
];

const guardOf = (field: Field, probe: Guard["probe"]): Guard => ({
  name: `A yes is bound to ${field.name}`,
  promise: "gates",
  test: `a change of ${
    field.name.split(" (")[0]
  } after the approval keeps the effect from being reserved`,
  without: withoutField(field),
  probe,
});

export const guardsOfDigests: Guard[] = [
  ...fields.map((field) =>
    guardOf(field, async (house) => {
      const { taskId, work } = await approvedSignal(house);
      await field.change(house, taskId);
      refuses(await reserve(house, work, field.more), "digest_drift");
    })
  ),
  ...paid.map((field) =>
    guardOf(field, async (house) => {
      const buyer = number();
      await checked(house, buyer);
      const { taskId, grant, work } = await approvedAccess(house, buyer);
      await quote(house, "3.2");
      await field.change(house, taskId);
      refuses(await reserveAccess(house, work, grant), "digest_drift");
    })
  ),
  {
    name: "The digest is computed again where the effect is reserved",
    promise: "gates",
    test: "a goal that changed after the approval keeps the effect from being reserved",
    without: replace(
      "private.approval_problem",
      "private.request_drifted(p_task, p_request)",
      "false",
    ),
    async probe(house) {
      const { taskId, work } = await approvedSignal(house);
      await house.owner("update public.tasks set goal = 'another' where task_id = $1", [taskId]);
      refuses(await reserve(house, work), "digest_drift");
    },
  },
];
