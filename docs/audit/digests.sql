-- finds: stored hashes that do not match what they were taken from, recomputed here with nothing but sha256.
-- Read: every row means that bytes or a hash were changed after they were written.
with bound as (
  -- The canonical text: keys by code point, no white space. The values are texts and arrays of texts or flat objects.
  select r.request_id, r.task_id, r.code, r.digest, r.bound_to, '{' || string_agg(to_json(e.key)::text || ':' || case jsonb_typeof(e.value)
      when 'array' then (select '[' || coalesce(string_agg(case jsonb_typeof(i.item) when 'object'
          then (select '{' || string_agg(to_json(f.key)::text || ':' || f.value::text, ',' order by f.key collate "C") || '}' from jsonb_each(i.item) f)
          else i.item::text end, ',' order by i.place), '') || ']' from jsonb_array_elements(e.value) with ordinality i(item, place))
      else e.value::text end, ',' order by e.key collate "C") || '}' as canonical
  from public.approval_requests r, jsonb_each(r.bound_to) e group by r.request_id
), hashed as (
  select s.step_id, s.task_id, s.node_id, s.input_hash, t.payload_json::text || coalesce((
    select string_agg('|' || p.node_id || ':' || a.checksum, '' order by p.node_id collate "C", a.checksum collate "C")
    from public.task_steps p join public.artifacts a on a.step_id = p.step_id
    where p.task_id = s.task_id and p.node_id = any (s.waits_for)), '') as input
  from public.task_steps s join public.tasks t using (task_id) where s.input_hash is not null
)
select 'an artifact''s checksum is not that of its content' as finding, 'artifact:' || a.artifact_id as object, a.task_id, a.storage_ref as detail
from public.artifacts a where a.checksum <> encode(sha256(convert_to(a.content, 'UTF8')), 'hex')
union all
select 'a request''s digest is not that of what it was bound to', 'request:' || b.request_id, b.task_id, b.code
from bound b where b.digest <> encode(sha256(convert_to(b.canonical, 'UTF8')), 'hex')
union all
select 'a consumed request was bound to artifacts that now read otherwise', 'request:' || b.request_id, b.task_id, b.code || ': ' || (i.item ->> 'type')
from bound b cross join lateral jsonb_array_elements(b.bound_to -> 'artifacts') i(item)
where not exists (select 1 from public.artifacts a where a.task_id = b.task_id and a.type = i.item ->> 'type'
  and encode(sha256(convert_to(a.content, 'UTF8')), 'hex') = i.item ->> 'sha256')
  and exists (select 1 from public.approval_requests r where r.request_id = b.request_id and r.status in ('approved', 'consumed'))
union all
select 'an evaluation''s rubric hash, total or score is not that of its marks', 'evaluation:' || v.evaluation_id, v.task_id, v.rubric::text
from public.evaluations v where v.rubric_sha256 <> encode(sha256(convert_to(v.rubric::text, 'UTF8')), 'hex')
  or v.total <> round((select sum(m.value::numeric) from jsonb_each_text(v.rubric) m where m.key in ('policy', 'evidence', 'factuality', 'clarity', 'risk')), 2)
  or v.score <> round(v.total / 9, 4)
union all
select 'an evaluation is of other bytes than its artifact has', 'evaluation:' || v.evaluation_id, v.task_id, v.artifact_checksum
from public.evaluations v join public.artifacts a using (artifact_id) where v.artifact_checksum <> a.checksum
union all
select 'a step''s input hash is not that of its inputs', 'step:' || h.step_id, h.task_id, h.node_id
from hashed h where h.input_hash <> left(encode(sha256(convert_to(h.input, 'UTF8')), 'hex'), 32)
union all
select 'an effect''s key is not that of its step', 'effect:' || e.effect_id, e.task_id, e.idempotency_key
from public.effects e join public.task_steps s using (step_id) where e.idempotency_key <> s.task_id || ':' || s.node_id || ':' || s.input_hash
union all
select 'a policy text does not have the sha256 it is known by', 'policy:' || p.policy_sha256, null, p.version::text
from public.policies p where p.policy_sha256 <> encode(sha256(convert_to(p.policy_text, 'UTF8')), 'hex')
order by 1, 2;
