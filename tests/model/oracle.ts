import type { TestDatabase } from "../support/database.ts";
import { sha256 } from "../support/line.ts";

/**
 * What must hold of the rows whatever the model thinks: read without any function of the schema, judged here. Of every
 * effect that has just been reserved, by the rows of the moment.
 */
interface Evidence {
  effect: { reserved: string; kind: string };
  task: { requester: string | null; tier: string };
  request: {
    status: string;
    digest: string;
    closed: string;
    expires: string;
    bound: Record<string, unknown>;
  } | null;
  answers: {
    decision: string;
    digest: string;
    person: string;
    role: string;
    now: string;
    is: string;
    status: string;
  }[];
  artifacts: { type: string; content: string }[];
  evaluation: { score: string; critic: string; rubric: string } | null;
  policy: { sha: string; fills: Record<string, string[]>; slots: Record<string, string[]> };
  stops: { scope: string; state: string }[];
  granted: boolean;
  t3: boolean;
}

const evidence = `
  select jsonb_build_object(
    'effect', jsonb_build_object('reserved', e.reserved_at, 'kind', e.kind),
    'task', jsonb_build_object('requester', t.requester_person_id, 'tier', t.risk_tier),
    'request', (select jsonb_build_object('status', r.status, 'digest', r.digest, 'closed', r.closed_at, 'expires', r.expires_at, 'bound', r.bound_to)
      from public.approval_requests r where r.request_id = e.request_id),
    'answers', coalesce((select jsonb_agg(jsonb_build_object('decision', a.decision, 'digest', a.digest, 'person', m.person_id, 'role', a.role,
      'is', m.role, 'status', m.status)) from public.approvals a join public.members m using (member_id) where a.request_id = e.request_id), '[]'),
    'artifacts', (select jsonb_agg(jsonb_build_object('type', f.type, 'content', f.content) order by f.type) from (
      select distinct on (a.type) a.type, a.content from public.artifacts a join public.task_steps s using (step_id)
      where s.task_id = t.task_id and s.node_id = 'act' order by a.type, a.created_at desc, a.artifact_id desc) f),
    'evaluation', (select jsonb_build_object('score', v.score::text, 'critic', v.critic, 'rubric', v.rubric_sha256)
      from public.evaluations v where v.task_id = t.task_id order by v.seq desc limit 1),
    'policy', (select jsonb_build_object('sha', p.policy_sha256, 'fills', p.body -> 'roles', 'slots', p.body -> 'approvals')
      from public.policies p where p.status = 'active'),
    'stops', (select coalesce(jsonb_agg(jsonb_build_object('scope', s.scope, 'state', s.state)), '[]') from public.emergency_stops s),
    'granted', exists (select 1 from public.break_glass_grants g where g.effect_id = e.effect_id),
    't3', coalesce((select f.enabled from public.feature_flags f where f.key = 't3_execution_enabled'), false)) as found
  from public.effects e join public.tasks t using (task_id) where e.task_id = $1`;

function filled(
  slots: string[],
  fills: Record<string, string[]>,
  answers: Evidence["answers"],
  used: string[] = [],
): boolean {
  if (slots.length === 0) return true;
  return answers.some(({ person, role }) =>
    !used.includes(person) && fills[slots[0]]?.includes(role) &&
    filled(slots.slice(1), fills, answers, [...used, person])
  );
}

function judge(found: Evidence): string[] {
  const { request, task, answers, policy, evaluation, stops } = found;
  const slots = (policy.slots[task.tier] ?? []).filter((token) => token.endsWith("_approval"));
  if (request === null) return ["an effect was reserved without a request"];
  const noes = answers.filter(({ decision }) => decision === "reject").map(({ person }) => person);
  const yes = answers.filter(({ decision, person, role, is, status, digest }) =>
    decision === "approve" && status === "active" && role === is && digest === request.digest &&
    person !== task.requester && !noes.includes(person)
  );
  const bound = request.bound;
  const bytes = (found.artifacts ?? []).map(({ type, content }) => ({
    type,
    sha256: sha256(content),
  }));
  const running = (scope: string) =>
    stops.some((stop) => stop.scope === scope && stop.state === "running");
  const stopped = !running("all") || task.tier === "T3" && !running("t3");
  const wrong: [boolean, string][] = [
    [request.status !== "consumed", "the request was not used up"],
    [found.effect.reserved >= request.expires, "the request had lapsed"],
    [!filled(slots, policy.fills, yes), "no distinct entitled persons fill the slots"],
    [JSON.stringify(bound.artifacts) !== JSON.stringify(bytes), "other bytes than people saw"],
    [
      bound.score !== evaluation?.score || bound.critic !== evaluation?.critic,
      "another verdict than people saw",
    ],
    [bound.rubric !== evaluation?.rubric, "another rubric than people saw"],
    [bound.policy !== policy.sha, "another policy than people were asked under"],
    [bound.tier !== task.tier, "another tier than people were asked for"],
    [stopped && !found.granted, "while a stop stood"],
    [task.tier === "T3" && !found.t3, "while T3 was switched off"],
  ];
  return wrong.filter(([is]) => is).map(([, what]) => `an effect was reserved: ${what}`);
}

export async function brokenPromises(db: TestDatabase, taskId: string): Promise<string[]> {
  const { rows } = await db.pg.query<{ found: Evidence }>(
    "select model.call('postgres', $1) as found",
    [evidence.replace("$1", `'${taskId}'`)],
  );
  const found = rows[0]?.found;
  // Later the rows may change, and the effect with them: only the moment of the reservation is judged.
  return found && found.effect.reserved === found.request?.closed ? judge(found) : [];
}
