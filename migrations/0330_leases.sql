-- The promise of this file: a lease that its holder gives back is nobody's failure, a call whose answer was not seen is looked up
-- by its fence and never assumed, and an idle worker asks one question. Refuses: stale_lease, invalid_request.

-- An effect that has left keeps its lease: its answer may still be on the way, and nobody else may send it.
create function private.return_step(p_step_id uuid, p_attempt integer, p_lease_token uuid, p_reason text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_step public.task_steps := private.leased_step(p_step_id, p_attempt, p_lease_token);
begin
  if v_step.step_id is null then
    return private.refuse_stale(p_step_id, 'step.return');
  end if;
  if exists (select 1 from public.effects e where e.step_id = p_step_id and e.status = 'sent') then
    return jsonb_build_object('step_id', p_step_id, 'status', 'running');
  end if;
  perform private.act_as(v_step.agent, 'step.return');
  update public.task_steps s set status = 'ready', run_at = private.now(), lease_token = null, lease_expires_at = null, last_error = p_reason
  where s.step_id = p_step_id;
  return jsonb_build_object('step_id', p_step_id, 'status', 'ready');
end
$$;

create function api.return_steps(p_leases jsonb, p_reason text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_lease record;
  v_answers jsonb := '[]';
begin
  if jsonb_typeof(p_leases) is distinct from 'array' or coalesce(length(p_reason), 0) not between 1 and 500 then
    return private.refuse('invalid_request', 'worker', 'step.return', 'steps', null, 'Leases are a list, and are given back for a reason.');
  end if;
  -- As a completion locks: all tasks in one order, before any of their steps.
  perform 1 from public.tasks t where t.task_id in (select s.task_id
    from jsonb_to_recordset(p_leases) as l(step_id uuid) join public.task_steps s using (step_id))
  order by t.task_id for no key update;
  for v_lease in
    select l.* from jsonb_to_recordset(p_leases) as l(step_id uuid, attempt integer, lease_token uuid) order by l.step_id
  loop
    v_answers := v_answers || private.return_step(v_lease.step_id, v_lease.attempt, v_lease.lease_token, p_reason);
  end loop;
  return v_answers;
end
$$;
comment on function api.return_steps(jsonb, text) is
  'Gives leased steps back unfinished, which counts as no failure; a step whose effect has left stays running. Refuses stale_lease per item, invalid_request.';
revoke all on function api.return_steps(jsonb, text) from public;
grant execute on function api.return_steps(jsonb, text) to service_role;

-- Every claim has an attempt of its own, so step and attempt name one lease for good: a step that is done under this attempt
-- was done by its holder, and one that is running under another was lost.
create function api.call_outcome(p_attempt integer, p_lease_token uuid, p_step_id uuid default null, p_effect_id uuid default null) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object('step_id', s.step_id, 'step_status', s.status, 'last_code', s.last_code,
    'lease', case
      when s.attempt is distinct from p_attempt then 'lost'
      when s.status = 'running' then case when s.lease_token = p_lease_token then 'held' else 'lost' end
      when s.status = 'done' then 'done'
      else 'released' end,
    'effect', (select jsonb_build_object('effect_id', e.effect_id, 'status', e.status, 'idempotency_key', e.idempotency_key, 'payload', e.payload_json)
      from public.effects e where e.step_id = s.step_id order by e.reserved_at desc, e.effect_id limit 1))
  from (select 1) one
  left join public.task_steps s on s.step_id = coalesce(p_step_id, (select e.step_id from public.effects e where e.effect_id = p_effect_id))
$$;
comment on function api.call_outcome(integer, uuid, uuid, uuid) is
  'What became of a call under this lease, for whoever lost the connection before the answer: the lease is held, done, released or lost, and where its effect stands. Refuses nothing.';
revoke all on function api.call_outcome(integer, uuid, uuid, uuid) from public;
grant execute on function api.call_outcome(integer, uuid, uuid, uuid) to service_role;

-- One question for an idle worker instead of a claim of each kind. It says when to ask again at the latest: a pause that ends, a lease
-- that lapses and a job that falls due are known beforehand.
create function api.look_for_work() returns jsonb
language sql stable security definer set search_path = '' set enable_seqscan = off set jit = off
as $$
  -- Class by class, as a claim looks: each is one look into the index, whatever waits, runs or is planned for later.
  with n as (select private.now() as at),
  waiting as (
    select c.agent_class, (select r.run_at from private.ready_steps r where r.agent_class = c.agent_class order by r.run_at, r.step_id limit 1) as first_at,
      (select r.run_at from private.ready_steps r where r.agent_class = c.agent_class and r.run_at > n.at order by r.run_at, r.step_id limit 1) as next_at
    from n cross join unnest(private.claimable_classes(null) || private.claimable_classes(array['communicator'])) c(agent_class)
  )
  select jsonb_build_object(
    'steps', exists (select 1 from waiting w where w.agent_class <> 'communicator' and w.first_at <= n.at) and not private.consumer_is_paused('orchestrator'),
    'effects', exists (select 1 from waiting w where w.agent_class = 'communicator' and w.first_at <= n.at) and not private.consumer_is_paused('communicator'),
    'notifications', (exists (select 1 from public.notifications q where q.status = 'queued' and q.run_at <= n.at)
      or exists (select 1 from public.notifications l where l.status = 'sending' and l.lease_expires_at < n.at))
      and not private.consumer_is_paused('communicator'),
    'jobs', exists (select 1 from public.jobs j where j.enabled and j.next_run_at <= n.at),
    'lapsed', exists (select 1 from public.task_steps s where s.lease_expires_at < n.at),
    'positions', exists (select 1 from public.positions p where p.open_quantity > 0),
    'wait_ms', (select ceil(greatest(extract(epoch from min(d.at) - n.at), 0) * 1000)::integer from (
      (select min(w.next_at) as at from waiting w) union all
      (select s.lease_expires_at from public.task_steps s where s.lease_expires_at >= n.at order by s.lease_expires_at limit 1) union all
      (select q.run_at from public.notifications q where q.status = 'queued' and q.run_at > n.at order by q.run_at limit 1) union all
      (select j.next_run_at from public.jobs j where j.enabled and j.next_run_at > n.at order by j.next_run_at limit 1)) d))
  from n
$$;
comment on function api.look_for_work() is
  'What there is to do, by kind, and in how many milliseconds the next thing falls due. Claims nothing, changes nothing, refuses nothing.';
revoke all on function api.look_for_work() from public;
grant execute on function api.look_for_work() to service_role;

create function api.reap() returns jsonb
language sql volatile security definer set search_path = ''
as $$ select jsonb_build_object('reaped', private.reap_leases()) $$;
comment on function api.reap() is
  'Gives back what dead workers held, now: for whoever saw that a lease has lapsed. The job reap_leases does the same by the clock. Refuses nothing.';
revoke all on function api.reap() from public;
grant execute on function api.reap() to service_role;

-- A NOTIFY takes a lock that all committers of a NOTIFY share, so it never rides in a transaction that writes. It carries nothing: whoever
-- hears it looks, and whoever does not hears of the work by looking all the same.
create function api.hint_work() returns jsonb
language sql volatile security definer set search_path = ''
as $$ select jsonb_build_object('hinted', true) from (select pg_notify('dags_work', '')) sent $$;
comment on function api.hint_work() is 'Tells listening workers that there may be something to do. A hint that is lost costs one pause of polling. Refuses nothing.';
revoke all on function api.hint_work() from public;
grant execute on function api.hint_work() to service_role;
