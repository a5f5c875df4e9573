-- The promise of this file: what was taken in twice or stands out of order is found, the younger twin is cancelled where nothing has
-- had an effect, and the steps of a task are made again what its artifacts say. Refuses: not_found, invalid_request, illegal_transition.

-- A delivery that came again within the window and became a task of its own.
create view public.delivery_twins with (security_invoker = true) as
with windows as (
  select coalesce((select (p.body #>> '{windows,duplicate_seconds}')::numeric from public.policies p where p.status = 'active'), 60) as plain,
    coalesce((select (p.body #>> '{windows,alert_id_seconds}')::numeric from public.policies p where p.status = 'active'), 86400) as with_id
), accepted as (
  select r.task_id, r.received_at, r.source_event_id, lag(r.task_id) over delivery as earlier_task, lag(r.received_at) over delivery as earlier
  from public.event_receipts r where r.outcome = 'accepted'
  window delivery as (partition by r.tenant_id, r.source, r.source_name, r.body_sha256, r.source_event_id order by r.received_at, r.receipt_id)
)
select a.task_id, a.earlier_task as twin_of, a.received_at, a.received_at - a.earlier as apart
from accepted a, windows w
where a.earlier_task <> a.task_id
  and a.received_at - a.earlier < make_interval(secs => (case when a.source_event_id is null then w.plain else w.with_id end)::double precision);
comment on view public.delivery_twins is 'Tasks whose delivery had made another task already, within the window of the active policy; none unless something got past intake.';
revoke all on public.delivery_twins from public, anon, authenticated, service_role;
grant select on public.delivery_twins to auditor, authenticated;

-- Why nobody but a person may end it; null where nothing has begun that could be seen outside.
create function private.twin_problem(p_task_id text) returns text
language sql stable set search_path = ''
as $$
  select case when t.ended_at is not null then 'it has ended'
    when exists (select 1 from public.effects e where e.task_id = t.task_id) then 'its effect was begun'
    when exists (select 1 from public.task_steps s where s.task_id = t.task_id and s.is_effect and s.status not in ('pending', 'ready')) then 'its effect is in a worker''s hands'
    when t.status = 'publishing' then 'it is being published' end
  from public.tasks t where t.task_id = p_task_id
$$;

-- What is wrong with the steps of a task, one row each. A step that waits at a gate, or is an effect's, speaks for itself.
create function private.step_findings(p_task_id text) returns table (step_id uuid, finding text)
language sql stable set search_path = ''
as $$
  with line as materialized (
    select s.*, (select count(*) from public.task_steps p where p.task_id = s.task_id and p.node_id = any (s.waits_for)
      and p.status not in ('done', 'skipped'))::integer as open_parents
    from public.task_steps s where s.task_id = p_task_id
  )
  select l.step_id, case
      when l.status in ('ready', 'running', 'awaiting_approval', 'done') and l.open_parents > 0 then 'out_of_order'
      when l.status = 'done' and l.output_ref is not null and a.artifact_id is null then 'artifact_missing'
      when l.status = 'done' and l.output_ref is not null and a.checksum <> private.sha256_hex(a.content) then 'artifact_altered'
      when l.status = 'running' and l.lease_expires_at < private.now() then 'lease_lost'
      when l.status = 'pending' and l.open_parents = 0 then 'waits_for_nobody'
      when l.status = 'pending' and l.pending_parents <> l.open_parents then 'miscounted' end
  from line l left join public.artifacts a on a.step_id = l.step_id and a.storage_ref = l.output_ref
  where l.status in ('ready', 'running', 'awaiting_approval', 'done', 'pending')
    and (l.open_parents > 0 and (l.status <> 'pending' or l.pending_parents <> l.open_parents)
      or l.status = 'pending' and l.open_parents = 0
      or l.status = 'running' and l.lease_expires_at < private.now()
      or l.status = 'done' and l.output_ref is not null and (a.artifact_id is null or a.checksum <> private.sha256_hex(a.content)))
$$;
comment on function private.step_findings(text) is 'Steps that stand before what they wait for, wait for nobody, are counted wrong, lost their lease, or whose artifact is gone or altered.';

create function api.desync_findings(p_task_id text default null) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'twins', coalesce((select jsonb_agg(jsonb_build_object('task_id', w.task_id, 'twin_of', w.twin_of, 'status', t.status,
        'apart_seconds', round(extract(epoch from w.apart), 3), 'problem', private.twin_problem(w.task_id)) order by w.task_id)
      from public.delivery_twins w join public.tasks t using (task_id)
      where t.status <> 'cancelled' and (p_task_id is null or p_task_id in (w.task_id, w.twin_of))), '[]'),
    'twice_accepted', coalesce((select jsonb_agg(jsonb_build_object('task_id', r.task_id, 'receipts', r.n) order by r.task_id)
      from (select e.task_id, count(*) as n from public.event_receipts e where e.outcome = 'accepted' and (p_task_id is null or e.task_id = p_task_id)
        group by e.task_id having count(*) > 1) r), '[]'),
    'twice_done', coalesce((select jsonb_agg(jsonb_build_object('task_id', e.task_id, 'step_id', e.step_id, 'confirmed', e.n) order by e.task_id)
      from (select x.task_id, x.step_id, count(*) as n from public.effects x where x.status = 'confirmed' and (p_task_id is null or x.task_id = p_task_id)
        group by x.task_id, x.step_id having count(*) > 1) e), '[]'),
    'repeats', coalesce((select jsonb_agg(jsonb_build_object('consumer', c.consumer, 'events', c.n) order by c.consumer)
      from (select r.consumer, count(*) as n from public.consumer_receipts r where r.handed - r.rewound > 1 group by r.consumer) c), '[]'),
    'steps', coalesce((select jsonb_agg(jsonb_build_object('task_id', t.task_id, 'node_id', s.node_id, 'status', s.status, 'finding', f.finding)
        order by t.task_id, s.node_id)
      from public.tasks t cross join lateral private.step_findings(t.task_id) f join public.task_steps s on s.step_id = f.step_id
      where t.ended_at is null and (p_task_id is null or t.task_id = p_task_id)), '[]'))
$$;
comment on function api.desync_findings(text) is
  'What is there twice or out of order: twin tasks of one delivery, tasks with two accepted receipts, steps with two confirmed effects, repeated handling by consumers, steps of open tasks that contradict their parents, their leases or their artifacts. Administrator only.';
revoke all on function api.desync_findings(text) from public;
grant execute on function api.desync_findings(text) to administrator;

create function api.cancel_twin(p_task_id text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_object text := 'task:' || coalesce(left(p_task_id, 64), '?');
  v_task public.tasks;
  v_twin_of text;
  v_problem text;
begin
  if coalesce(length(p_actor), 0) not between 1 and 200 then
    return private.refuse('invalid_request', p_actor, 'task.cancel_twin', v_object, null, 'A task is cancelled by somebody.');
  end if;
  select t.* into v_task from public.tasks t where t.task_id = p_task_id for no key update;
  select w.twin_of into v_twin_of from public.delivery_twins w where w.task_id = p_task_id order by w.received_at limit 1;
  if v_task.task_id is null or v_twin_of is null then
    return private.refuse('not_found', p_actor, 'task.cancel_twin', v_object, v_task.task_id, 'No earlier task was made of the same delivery.');
  end if;
  perform 1 from public.task_steps s where s.task_id = p_task_id order by s.step_id for no key update;
  v_problem := private.twin_problem(p_task_id);
  if v_problem is not null then
    return private.refuse('illegal_transition', p_actor, 'task.cancel_twin', v_object, p_task_id, v_problem);
  end if;
  perform private.act_as(p_actor, 'task.cancel_twin');
  update public.task_steps s set status = 'cancelled', ended_at = private.now(), lease_token = null, lease_expires_at = null
  where s.task_id = p_task_id and s.status in ('pending', 'ready', 'running', 'awaiting_approval');
  perform private.close_requests(p_task_id, 'superseded');
  update public.tasks t set status = 'cancelled', reason = 'twin of ' || v_twin_of, ended_at = private.now() where t.task_id = p_task_id;
  perform private.emit('TASK_REJECTED', p_task_id, 'human', p_task_id || ':cancelled', jsonb_build_object('reason', 'twin of ' || v_twin_of));
  return jsonb_build_object('task_id', p_task_id, 'twin_of', v_twin_of, 'status', 'cancelled');
end
$$;
comment on function api.cancel_twin(text, text) is
  'Cancels a task whose delivery had made an earlier one, as long as nothing of its effect has begun. Refuses not_found, illegal_transition, invalid_request. Administrator only.';
revoke all on function api.cancel_twin(text, text) from public;
grant execute on function api.cancel_twin(text, text) to administrator;
