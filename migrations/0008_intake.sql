-- The promise of this file: an accepted delivery is exactly one task, a repeat is the same task, and
-- every delivery leaves a receipt. Refuses: unclassified_action, rate_limited, and what the door found.

create unlogged table private.rate_buckets (
  bucket text primary key,
  tokens numeric not null,
  refilled_at timestamptz not null
);
comment on table private.rate_buckets is 'Token buckets. Unlogged: after a crash they start full, and nothing else depends on them.';

-- Returns 0 when a token was taken, else the seconds until there is one.
create function private.take_token(p_bucket text, p_per_minute numeric, p_burst numeric) returns numeric
language plpgsql set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_left numeric;
begin
  insert into private.rate_buckets as b (bucket, tokens, refilled_at) values (p_bucket, p_burst - 1, v_now)
  on conflict (bucket) do update
    set tokens = least(p_burst, b.tokens + greatest(extract(epoch from v_now - b.refilled_at), 0) * p_per_minute / 60) - 1,
      refilled_at = greatest(v_now, b.refilled_at)
    where least(p_burst, b.tokens + greatest(extract(epoch from v_now - b.refilled_at), 0) * p_per_minute / 60) >= 1
  returning b.tokens into v_left;
  if v_left is not null then
    return 0;
  end if;
  select (1 - b.tokens) * 60 / p_per_minute - extract(epoch from v_now - b.refilled_at) into v_left
  from private.rate_buckets b where b.bucket = p_bucket;
  return greatest(ceil(v_left), 1);
end
$$;
comment on function private.take_token(text, numeric, numeric) is 'One token from a bucket: 0, or seconds to wait.';

-- A name may look like a number, so a telegram: actor is an account and nothing else. Removed members count too:
-- whoever asked and was added anew is still the one who asked.
create function private.person_of(p_actor text) returns uuid
language sql stable set search_path = ''
as $$
  select m.person_id from public.members m
  where case when p_actor ~ '^telegram:' then m.telegram_user_id = substr(p_actor, 10)
    else lower(m.name) = lower(regexp_replace(p_actor, '^[a-z-]+:', '')) or m.member_id::text = p_actor end
  order by m.status = 'active' desc, m.added_at desc limit 1
$$;
comment on function private.person_of(text) is 'The person behind an actor such as tradingview:tom, telegram:1001 or a member''s name; null for a machine.';

create function private.create_task(p_event jsonb, p_tier text, p_id_reused boolean, p_key text) returns text
language plpgsql set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_task_id text := private.dated_id('T', '-', 'task', 'private.task_numbers', v_now);
  v_step_id uuid := gen_random_uuid();
  v_hash text := left(private.sha256_hex(coalesce(p_event -> 'payload', '{}')::text), 32);
  v_agent text := coalesce((select a.agent from public.agents a where a.agent_class = 'planner'), 'planner');
begin
  perform private.act_as(p_event ->> 'actor', 'task.create');
  insert into public.tasks (task_id, created_at, actor, goal, risk_tier, action, source, source_event_id, id_reused,
    requester_person_id, payload_json)
  values (v_task_id, v_now, p_event ->> 'actor', p_event ->> 'goal', p_tier, p_event ->> 'action', p_event ->> 'source',
    left(p_event ->> 'source_event_id', 200), p_id_reused, private.person_of(p_event ->> 'actor'), coalesce(p_event -> 'payload', '{}'));
  insert into public.task_steps (step_id, task_id, node_id, status, agent, agent_class, action, tier, input_ref, input_hash, run_at, created_at)
  values (v_step_id, v_task_id, 'plan', 'ready', v_agent, 'planner', 'READ', 'T0', format('supa://tasks/%s/plan/inputs.json', v_task_id),
    v_hash, v_now, v_now);
  insert into public.events (task_id, type, agent, idempotency_key, payload_json) values
    (v_task_id, 'TASK_CREATED', 'intake', p_key, jsonb_build_object('source', p_event ->> 'source', 'action', p_event ->> 'action',
      'goal', p_event ->> 'goal', 'risk_tier', p_tier, 'context', coalesce(p_event -> 'payload', '{}'))),
    (v_task_id, 'STEP_READY', v_agent, v_task_id || ':plan:' || v_hash || ':ready', jsonb_build_object('node_id', 'plan'));
  return v_task_id;
end
$$;

-- What the door should never hand on, in words; null for a whole event.
create function private.event_problem(p_event jsonb) returns text
language sql immutable set search_path = ''
as $$
  select case
    when jsonb_typeof(p_event) is distinct from 'object' then 'An event is an object.'
    when coalesce(p_event ->> 'source', '') !~ '^[a-z][a-z0-9_-]{0,31}$' then 'An event has a source.'
    when length(p_event ->> 'source_name') > 100 then 'The name of the source is too long.'
    when coalesce(p_event ->> 'body_sha256', '') !~ '^[0-9a-f]{64}$' then 'An event carries the sha256 of its body.'
    when octet_length(p_event ->> 'body') > 65536 or octet_length(p_event ->> 'payload') > 65536 then 'The event is larger than 64 KiB.'
    when p_event #>> '{problem,code}' is null and coalesce(length(p_event ->> 'goal'), 0) not between 1 and 2000
      then 'An event has a goal of at most 2000 characters.'
    when p_event #>> '{problem,code}' is null and coalesce(length(p_event ->> 'actor'), 0) not between 1 and 200
      then 'An event names its actor.'
    when p_event #>> '{problem,code}' is null and coalesce(length(p_event ->> 'action'), 0) not between 1 and 64
      then 'An event names an action.'
  end
$$;

create function api.accept_event(p_event jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_source text := p_event ->> 'source';
  v_name text := coalesce(p_event ->> 'source_name', 'default');
  -- An id may be as long as the alert; what is compared and indexed is not.
  v_id text := case when octet_length(p_event ->> 'source_event_id') > 200 then 'sha256:' || private.sha256_hex(p_event ->> 'source_event_id')
    else p_event ->> 'source_event_id' end;
  v_sha text := p_event ->> 'body_sha256';
  v_door text := 'door:' || v_source || ':' || v_name;
  v_code text := (select coalesce(c.code, 'invalid_event') from (select p_event #>> '{problem,code}' as given) g
    left join private.refusal_codes c on c.code = g.given where g.given is not null);
  v_reason text := left(p_event #>> '{problem,reason}', 500);
  v_wait numeric;
  v_tier text;
  v_task_id text;
  v_key text;
  v_reused boolean := false;
  v_receipt bigint;
  v_outcome text := 'accepted';
begin
  if private.event_problem(p_event) is not null then
    return private.refuse('invalid_event', 'intake', 'event.accept', 'event', null, private.event_problem(p_event));
  end if;
  v_wait := private.take_token(v_door, private.policy_number(6000, 'rate_limits', 'intake_per_minute'),
    private.policy_number(6000, 'rate_limits', 'intake_burst'));
  if v_wait > 0 then
    -- No receipt: a flood must not fill the table. The audit row counts it.
    return private.refuse('rate_limited', v_door, 'event.accept', v_door, null,
      format('Wait %s seconds.', v_wait), jsonb_build_object('retry_after', v_wait));
  end if;

  if v_code is null then
    v_tier := private.action_tier(p_event ->> 'action');
    if v_tier is null and private.active_policy_sha256() is not null then
      v_code := 'unclassified_action';
      v_reason := format('The policy gives the action %s no risk tier.', p_event ->> 'action');
    end if;
    v_tier := coalesce(v_tier, 'T3'); -- without a policy nothing is planned; until then the strictest tier holds
  end if;

  if v_code is null then
    -- A window is no unique key: one lock per door and id (or body), then a look at the receipts.
    perform pg_advisory_xact_lock(hashtextextended(v_door || coalesce(':id:' || v_id, ':sha:' || v_sha), 0));
    select r.task_id, r.idempotency_key into v_task_id, v_key from public.event_receipts r
    where r.source = v_source and r.source_name = v_name and r.body_sha256 = v_sha and r.outcome = 'accepted'
      and r.source_event_id is not distinct from v_id
      and r.received_at > private.now() - make_interval(secs => case when v_id is null
        then private.policy_number(60, 'windows', 'duplicate_seconds')
        else private.policy_number(86400, 'windows', 'alert_id_seconds') end::double precision)
    order by r.received_at desc limit 1;
    if v_task_id is not null then
      v_outcome := 'duplicate';
    elsif v_id is not null then
      v_reused := exists (select 1 from public.event_receipts r where r.source = v_source and r.source_name = v_name
        and r.source_event_id = v_id and r.outcome = 'accepted');
    end if;
  else
    v_outcome := 'refused';
  end if;

  v_receipt := nextval(pg_get_serial_sequence('public.event_receipts', 'receipt_id'));
  if v_outcome = 'accepted' then
    v_key := format('main:%s:%s:%s:%s', v_source, v_name, left(v_sha, 32), v_receipt);
    v_task_id := private.create_task(p_event, v_tier, v_reused, v_key);
  end if;
  insert into public.event_receipts (receipt_id, source, source_name, source_event_id, body_sha256, content_type, body,
    task_id, idempotency_key, outcome, code, reason)
  overriding system value
  values (v_receipt, v_source, v_name, v_id, v_sha, left(p_event ->> 'content_type', 200), coalesce(p_event ->> 'body', ''),
    v_task_id, v_key, v_outcome, v_code, v_reason);

  if v_outcome = 'refused' then
    return private.refuse(v_code, v_door, 'event.accept', 'receipt:' || v_receipt, null, v_reason,
      jsonb_build_object('receipt_id', v_receipt));
  end if;
  if v_outcome = 'duplicate' then
    insert into public.audit_logs (actor, action, object, task_id, after_json)
    values (p_event ->> 'actor', 'event.merge', 'receipt:' || v_receipt, v_task_id, jsonb_build_object('task_id', v_task_id));
  end if;
  return jsonb_build_object('task_id', v_task_id, 'duplicate', v_outcome = 'duplicate', 'receipt_id', v_receipt,
    'id_reused', v_reused, 'status', (select t.status from public.tasks t where t.task_id = v_task_id));
end
$$;
comment on function api.accept_event(jsonb) is
  'Turns a delivery into a task, or names the task it repeats. Refuses unclassified_action, rate_limited, and the problem that the door found; 2xx means stored.';
revoke all on function api.accept_event(jsonb) from public;
grant execute on function api.accept_event(jsonb) to service_role;

create index event_receipts_ids on public.event_receipts (source, source_name, source_event_id)
  where source_event_id is not null and outcome = 'accepted';
