-- finds: rows that are not what their own audit trail says: folding after_json over time must give the current row.
-- Read: every row was changed, made or removed past the triggers, or its trail was; a whole row that is missing on one side is named as such.
with folded as (
  select d.object, jsonb_object_agg(e.key, e.value order by d.id) as body, max(d.task_id) as task_id
  from public.audit_logs d, jsonb_each(d.after_json) e
  where d.outcome = 'done' and d.object ~ '^(task|step|request|effect|approval|evaluation|member|policy):'
    and (d.before_json is not null or d.action <> 'evaluation.consult')
  group by d.object
), current (object, task_id, body) as (
  select 'task:' || t.task_id, t.task_id, to_jsonb(t) from public.tasks t
  union all select 'step:' || s.step_id, s.task_id, to_jsonb(s) from public.task_steps s
  union all select 'request:' || r.request_id, r.task_id, to_jsonb(r) from public.approval_requests r
  union all select 'effect:' || e.effect_id, e.task_id, to_jsonb(e) from public.effects e
  union all select 'approval:' || a.approval_id, a.task_id, to_jsonb(a) from public.approvals a
  union all select 'evaluation:' || v.evaluation_id, v.task_id, to_jsonb(v) from public.evaluations v
  union all select 'member:' || m.member_id, null, to_jsonb(m) from public.members m
  union all select 'policy:' || p.policy_sha256, null, to_jsonb(p) from public.policies p
)
select 'a row has no audit trail' as finding, c.object, c.task_id, null::text as detail
from current c left join folded f using (object) where f.object is null
union all
select 'an audited row is gone', f.object, f.task_id, null from folded f left join current c using (object)
where c.object is null and not exists (select 1 from public.audit_logs d
  where d.object = f.object and d.outcome = 'done' and d.before_json is not null and d.after_json is null)
union all
-- A time prints in the session's zone, so times are compared as times.
select 'a row differs from its audit trail', c.object, c.task_id, k.key || ' is ' || coalesce(k.value::text, 'nothing')
from current c join folded f using (object) cross join lateral jsonb_each(c.body) k
where case when k.key ~ '(_at|_since|^ts)$' then (k.value #>> '{}')::timestamptz is distinct from (f.body ->> k.key)::timestamptz
  else k.value is distinct from f.body -> k.key end
order by 1, 2, 4;
