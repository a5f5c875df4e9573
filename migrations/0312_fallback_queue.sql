-- The promise of this file: work that finds its tool's breaker open is put aside and not failed; a payment or trade that people have
-- approved says so as pending_exec. When the tool is back, what waited goes on in its order, never all at once. Refuses: nothing.

insert into private.transitions (subject, from_status, to_status, why) values
  ('task', 'running', 'pending_exec', 'approved, and the tool that it needs does not answer');

create table public.fallback_queue (
  item_id bigint generated always as identity primary key,
  tool text not null references public.circuit_breakers (tool),
  what text not null,
  step_id uuid not null references public.task_steps (step_id),
  task_id text not null references public.tasks (task_id),
  order_key text not null check (length(order_key) between 1 and 200),
  since timestamptz not null default private.now(),
  drained_at timestamptz,
  outcome text,
  constraint fallback_is_of_a_known_kind check (what in ('effect', 'work')),
  constraint drained_exactly_with_an_outcome check ((drained_at is null) = (outcome is null)),
  constraint fallback_outcome_is_known check (outcome in ('released', 'overtaken'))
);
comment on table public.fallback_queue is 'Steps that wait for a tool whose breaker is open: one open row per step, let go in the order in which they came.';
comment on column public.fallback_queue.order_key is 'What must not overtake: orders of one account, posts, grants of access; other work is its task''s own.';
comment on column public.fallback_queue.outcome is 'released when its tool was back; overtaken when its step went on or ended otherwise.';
create unique index fallback_queue_one_open on public.fallback_queue (step_id) where drained_at is null;
create index fallback_queue_waiting on public.fallback_queue (tool, item_id) where drained_at is null;
create index fallback_queue_by_tool on public.fallback_queue (tool);
create index fallback_queue_by_step on public.fallback_queue (step_id);
create index fallback_queue_by_task on public.fallback_queue (task_id);

create function private.fallback_bound() returns integer
language sql immutable set search_path = '' as $$ select 10000 $$;
comment on function private.fallback_bound() is 'How many steps may stand in the queue of one tool. More are parked: they wait all the same, and a person is told.';

create function private.fallback_key(p_step public.task_steps, p_task public.tasks) returns text
language sql stable set search_path = ''
as $$
  select left(case
    when not p_step.is_effect then 'task:' || p_task.task_id
    when p_task.action = 'TRADE' then 'account:' || coalesce(private.proposed(p_task.task_id, 'order') ->> 'account_id', p_task.task_id)
    when p_task.action = 'PAYMENT' then 'access'
    else 'publish' end, 200)
$$;

create function private.enqueue_fallback(p_step public.task_steps, p_task public.tasks, p_tool text) returns text
language plpgsql set search_path = ''
as $$
declare
  v_error text;
begin
  -- The queue is a help and not a condition: where it cannot be written the step waits without it.
  begin
    if exists (select 1 from public.fallback_queue q where q.step_id = p_step.step_id and q.drained_at is null) then
      return 'queued';
    elsif (select count(*) from (select 1 from public.fallback_queue q where q.tool = p_tool and q.drained_at is null limit private.fallback_bound()) full_queue)
      >= private.fallback_bound() then
      perform private.alert_once('fallback_full', 'tool:' || p_tool, null, private.fallback_bound()::text, null);
      return 'parked';
    end if;
    -- Whoever was let go and finds the tool away again has its old place: nothing of its key overtakes it.
    update public.fallback_queue q set drained_at = null, outcome = null
    where q.item_id = (select max(r.item_id) from public.fallback_queue r where r.step_id = p_step.step_id and r.tool = p_tool and r.outcome = 'released');
    if found then
      return 'queued';
    end if;
    insert into public.fallback_queue (tool, what, step_id, task_id, order_key)
    values (p_tool, case when p_step.is_effect then 'effect' else 'work' end, p_step.step_id, p_task.task_id, private.fallback_key(p_step, p_task));
    return 'queued';
  exception when others then
    v_error := sqlerrm;
    perform private.alert_once('fallback_down', 'tool:' || coalesce(left(p_tool, 64), '?'), left(v_error, 200), null, null);
    return 'parked';
  end;
end
$$;

create function private.alert_once(p_code text, p_subject text, p_value text, p_threshold text, p_task_id text) returns void
language plpgsql set search_path = ''
as $$
begin
  if not exists (select 1 from public.alerts a where a.code = p_code and a.subject = left(p_subject, 200) and a.closed_at is null) then
    perform private.raise_alert(p_code, 'warning', p_subject, p_value, p_threshold, p_task_id);
  end if;
end
$$;
comment on function private.alert_once(text, text, text, text, text) is 'A warning that is counted once while it is open: a tool that is down is met by every step.';

create function private.close_alert_of(p_code text, p_subject text) returns void
language sql volatile set search_path = ''
as $$ update public.alerts a set closed_at = private.now() where a.code = p_code and a.subject = p_subject and a.closed_at is null $$;

-- The step is leased and its task locked by whoever calls this. Nothing of it is counted as a failure.
create function private.park_step(p_step public.task_steps, p_tool text, p_error text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_task public.tasks;
  v_where text;
  -- Everybody by the same time: those whom nobody wakes come back in the order in which they left.
  v_retry_at timestamptz := private.now() + interval '10 minutes';
begin
  select t.* into v_task from public.tasks t where t.task_id = p_step.task_id;
  v_where := private.enqueue_fallback(p_step, v_task, p_tool);
  perform private.act_as(p_step.agent, 'step.park');
  update public.task_steps s set status = 'ready', run_at = v_retry_at, lease_token = null, lease_expires_at = null, last_code = 'breaker_open',
    last_error = left(p_error, 500) where s.step_id = p_step.step_id;
  if p_step.is_effect and v_task.risk_tier = 'T3' and v_task.action in ('TRADE', 'PAYMENT') then
    if v_task.status = 'running' then
      update public.tasks t set status = 'pending_exec', reason = 'breaker_open' where t.task_id = v_task.task_id;
    end if;
    perform private.alert_once('pending_exec', 'task:' || v_task.task_id, 'breaker_open: ' || coalesce(p_tool, '?'), null, v_task.task_id);
  end if;
  return jsonb_build_object('status', 'ready', 'retry_at', private.iso(v_retry_at), 'fallback', v_where,
    'task_status', (select t.status from public.tasks t where t.task_id = v_task.task_id));
end
$$;
comment on function private.park_step(public.task_steps, text, text) is
  'Puts a leased step aside until its tool is back. An effect that moves money or opens a door holds its task as pending_exec, with an alert.';

-- Twenty a second in all and one a second per key, five seconds at a time: a tool that has just come back is not knocked over again.
create function private.drain_fallback(p_tool text) returns integer
language plpgsql set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_breaker public.circuit_breakers;
  v_item record;
  v_count integer := 0;
begin
  with gone as (
    update public.fallback_queue q set drained_at = v_now, outcome = 'overtaken'
    where q.item_id in (select o.item_id from public.fallback_queue o join public.task_steps s using (step_id)
      where o.tool = p_tool and o.drained_at is null and not (s.status = 'running' or (s.status = 'ready' and s.last_code is not distinct from 'breaker_open'))
      order by o.item_id limit 500 for update of o skip locked)
    returning q.task_id
  )
  select count(private.close_alert_of('pending_exec', 'task:' || g.task_id)) into v_count from gone g;
  v_count := 0;
  select b.* into v_breaker from public.circuit_breakers b where b.tool = p_tool for no key update;
  if v_breaker.state <> 'closed' then
    return private.wake_first(v_breaker);
  elsif v_now < v_breaker.drain_after or not exists (select 1 from public.fallback_queue q where q.tool = p_tool and q.drained_at is null) then
    return 0;
  end if;
  perform private.act_as('breaker', 'fallback.drain');
  update public.circuit_breakers b set drain_after = v_now + interval '5 seconds' where b.tool = p_tool;
  for v_item in
    select w.item_id, w.step_id, w.task_id, v_now + make_interval(secs => greatest((w.place - 1) * 0.05, w.place_in_key - 1)::double precision) as run_at
    from (select q.*, row_number() over (order by q.item_id) as place, row_number() over (partition by q.order_key order by q.item_id) as place_in_key
      from (select f.* from public.fallback_queue f where f.tool = p_tool and f.drained_at is null order by f.item_id limit 1000) q) w
    where w.place_in_key <= 5 order by w.item_id limit 100
  loop
    -- Task before step, and no waiting: whoever holds it now is at work on it, or leaves it for the next round.
    perform 1 from public.tasks t where t.task_id = v_item.task_id for no key update skip locked;
    continue when not found;
    update public.tasks t set status = 'running', reason = null
    where t.task_id = v_item.task_id and t.status = 'pending_exec' and t.reason is not distinct from 'breaker_open'
      and exists (select 1 from public.approval_requests r where r.task_id = t.task_id and r.status = 'approved');
    update public.task_steps s set run_at = v_item.run_at where s.step_id = v_item.step_id and s.status = 'ready' and s.last_code = 'breaker_open';
    update public.fallback_queue q set drained_at = v_now, outcome = 'released' where q.item_id = v_item.item_id;
    perform private.close_alert_of('pending_exec', 'task:' || v_item.task_id);
    v_count := v_count + 1;
  end loop;
  if not exists (select 1 from public.fallback_queue q where q.tool = p_tool and q.drained_at is null) then
    perform private.close_alert_of('fallback_full', 'tool:' || p_tool);
    perform private.close_alert_of('fallback_down', 'tool:' || p_tool);
  end if;
  return v_count;
end
$$;
comment on function private.drain_fallback(text) is
  'Lets go what waited for a tool that is back: in order, one a second per key, twenty a second in all. Of one that is still away it wakes who asks first.';

-- A breaker that nobody asks stays open for ever: the one who came first asks, as soon as a probe is given out.
create function private.wake_first(p_breaker public.circuit_breakers) returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  if private.now() < private.breaker_due(p_breaker) then
    return 0;
  end if;
  perform private.act_as('breaker', 'fallback.wake');
  with first as (
    select q.step_id from public.fallback_queue q join public.task_steps s using (step_id)
    where q.tool = p_breaker.tool and q.drained_at is null order by q.item_id limit 1
  )
  update public.task_steps s set run_at = private.now() from first f
  where s.step_id = f.step_id and s.status = 'ready' and s.last_code = 'breaker_open' and s.run_at > private.now();
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

select private.close_table('public.fallback_queue');
select private.allow_members('public.fallback_queue', 'owner', 'operator', 'reviewer');
select private.audit('public.fallback_queue', 'fallback', 'item_id');
