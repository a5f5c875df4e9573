-- A queue of any depth in seconds: triggers and foreign keys are off for this session of a scratch database.
-- $1 ready, $2 in flight, $3 ready later. Ten steps a task; classes take turns, so a claim by class meets the others.
with classes as (
  select array_agg(a.agent_class order by a.agent_class) as all_classes, min(a.agent_class) as one from public.agents a
  where a.enabled and a.agent_class not in ('planner', 'communicator')
), task as (
  insert into public.tasks (task_id, status, actor, goal, risk_tier, action, source, payload_json)
  select 'T-2000-01-01-' || lpad(n::text, 7, '0'), 'running', 'bench', 'A task of the bench', 'T0', 'READ', 'bench', jsonb_build_object('n', n)
  from generate_series(0, ($1::integer + $2::integer + $3::integer - 1) / 10) n
)
insert into public.task_steps (task_id, node_id, status, agent, agent_class, action, tier, attempt, run_at, worker, lease_token,
  lease_expires_at, started_at, input_hash)
select 'T-2000-01-01-' || lpad((n / 10)::text, 7, '0'), 'step' || n % 10,
  case when n between $1::integer and $1::integer + $2::integer - 1 then 'running' else 'ready' end,
  c.all_classes[1 + (n / 10) % cardinality(c.all_classes)], c.all_classes[1 + (n / 10) % cardinality(c.all_classes)], 'READ', 'T0',
  case when n between $1::integer and $1::integer + $2::integer - 1 then 1 else 0 end,
  case when n < $1::integer + $2::integer then clock_timestamp() - interval '1 hour' + n * interval '1 microsecond'
    else clock_timestamp() + interval '1 day' end,
  case when n between $1::integer and $1::integer + $2::integer - 1 then 'elsewhere' end,
  case when n between $1::integer and $1::integer + $2::integer - 1 then gen_random_uuid() end,
  case when n between $1::integer and $1::integer + $2::integer - 1 then clock_timestamp() + interval '1 day' end,
  case when n between $1::integer and $1::integer + $2::integer - 1 then clock_timestamp() end,
  md5(n::text)
from generate_series(0, $1::integer + $2::integer + $3::integer - 1) n, classes c
