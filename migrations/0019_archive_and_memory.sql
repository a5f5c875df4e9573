-- The promise of this file: a task is archived only when no effect is open or unknown; its final text becomes
-- memory that the next task can find by meaning. Refuses: stale_lease, effect_unknown, illegal_transition, invalid_request.

create table public.embeddings (
  chunk_id uuid primary key default gen_random_uuid(),
  tenant_id text not null default 'main',
  task_id text not null references public.tasks (task_id),
  artifact_id uuid not null references public.artifacts (artifact_id),
  symbol text,
  content text not null check (octet_length(content) <= 16384),
  embedding extensions.vector(384) not null,
  model text not null,
  version integer not null default 1,
  created_at timestamptz not null default private.now()
);
comment on table public.embeddings is 'Chunks of archived artifacts with their vectors; searched exactly per symbol, so no index can leak or starve another tenant.';
create index embeddings_by_symbol on public.embeddings (tenant_id, symbol);
create index embeddings_by_task on public.embeddings (task_id);
create index embeddings_by_artifact on public.embeddings (artifact_id);

create table public.metrics (
  task_id text not null references public.tasks (task_id),
  name text not null,
  value numeric not null,
  unit text not null,
  ts timestamptz not null default private.now(),
  primary key (task_id, name)
);
comment on table public.metrics is 'What a finished task measured: milliseconds per hop, score, attempts.';

create function api.search_chunks(p_symbol text, p_embedding jsonb, p_limit integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('chunk_id', c.chunk_id, 'task_id', c.task_id, 'artifact_id', c.artifact_id, 'symbol', c.symbol,
    'content', c.content, 'distance', round(c.distance::numeric, 6), 'version', c.version) order by c.distance, c.chunk_id), '[]')
  from (
    select e.chunk_id, e.task_id, e.artifact_id, e.symbol, e.content, e.version,
      e.embedding operator(extensions.<=>) p_embedding::text::extensions.vector as distance
    from public.embeddings e
    where e.tenant_id = 'main' and (p_symbol is null or e.symbol = p_symbol)
    order by distance, e.chunk_id limit least(greatest(p_limit, 1), 20)
  ) c where c.distance <> 'NaN' -- a vector of zeros is near nothing
$$;
comment on function api.search_chunks(text, jsonb, integer) is 'The nearest archived chunks of a symbol by cosine distance, exact.';
revoke all on function api.search_chunks(text, jsonb, integer) from public;
grant execute on function api.search_chunks(text, jsonb, integer) to service_role;

create function private.record_metrics(p_task_id text) returns void
language sql volatile set search_path = ''
as $$
  insert into public.metrics (task_id, name, value, unit)
  select p_task_id, m.name, m.value, m.unit
  from public.tasks t, lateral (
    values ('end_to_end', extract(epoch from private.now() - t.created_at) * 1000, 'ms'),
      ('critic_score', (private.gating_evaluation(t.task_id)).score, 'ratio'),
      ('attempts', (select sum(s.attempt) from public.task_steps s where s.task_id = t.task_id), 'count'),
      ('approval_wait', (select extract(epoch from max(a.ts) - min(r.requested_at)) * 1000
        from public.approval_requests r join public.approvals a using (request_id) where r.task_id = t.task_id), 'ms')
    union all
    select 'hop_' || s.node_id, extract(epoch from s.ended_at - s.started_at) * 1000, 'ms'
    from public.task_steps s where s.task_id = t.task_id and s.started_at is not null and s.ended_at is not null
  ) m(name, value, unit)
  where t.task_id = p_task_id and m.value is not null
$$;

create function private.chunks_fit(p_chunks jsonb) returns boolean
language sql immutable set search_path = ''
as $$
  select case when jsonb_typeof(p_chunks) is distinct from 'array' then false else jsonb_array_length(p_chunks) <= 64 and not exists (
    select 1 from jsonb_array_elements(p_chunks) c where coalesce(jsonb_typeof(c -> 'content') <> 'string' or octet_length(c ->> 'content') > 16384
      or coalesce(length(c ->> 'symbol'), 0) > 64 or case when jsonb_typeof(c -> 'embedding') = 'array' then jsonb_array_length(c -> 'embedding') <> 384
        or exists (select 1 from jsonb_array_elements(c -> 'embedding') x where jsonb_typeof(x) <> 'number') else true end, true)) end
$$;

create function api.archive_task(p_step_id uuid, p_attempt integer, p_lease_token uuid, p_chunks jsonb, p_model text default 'local-hash-384')
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps := private.leased_step(p_step_id, p_attempt, p_lease_token);
  v_artifact uuid;
begin
  if v_step.step_id is null or v_step.agent_class <> 'orchestrator' then
    return private.refuse_stale(p_step_id, 'task.archive');
  end if;
  if exists (select 1 from public.effects e where e.task_id = v_step.task_id and e.status in ('reserved', 'sent', 'unknown')) then
    return private.refuse('effect_unknown', v_step.agent, 'task.archive', 'task:' || v_step.task_id, v_step.task_id);
  end if;
  -- Nothing is archived that did not have its effect, or has a step that could still want to write.
  if not exists (select 1 from public.tasks t where t.task_id = v_step.task_id and t.status = 'publishing')
    or exists (select 1 from public.task_steps s where s.task_id = v_step.task_id and s.step_id <> p_step_id and s.status not in ('done', 'skipped')) then
    return private.refuse('illegal_transition', v_step.agent, 'task.archive', 'task:' || v_step.task_id, v_step.task_id);
  end if;
  if not private.chunks_fit(p_chunks) then
    return private.refuse('invalid_request', v_step.agent, 'task.archive', 'task:' || v_step.task_id, v_step.task_id,
      'A chunk has a text of at most 16 KiB and an embedding of 384 numbers.');
  end if;
  perform private.act_as(v_step.agent, 'task.archive');
  select e.artifact_id into v_artifact from private.gating_evaluation(v_step.task_id) e;
  insert into public.embeddings (task_id, artifact_id, symbol, content, embedding, model)
  select v_step.task_id, v_artifact, c.symbol, c.content, c.embedding::text::extensions.vector, p_model
  from jsonb_to_recordset(p_chunks) as c(symbol text, content text, embedding jsonb);
  perform private.finish_step(p_step_id, '{}');
  perform private.advance(array[p_step_id]);
  perform private.record_metrics(v_step.task_id);
  update public.tasks t set status = 'archived', ended_at = private.now(), archived_at = private.now(), reason = null where t.task_id = v_step.task_id;
  perform private.emit('TASK_ARCHIVED', v_step.task_id, v_step.agent, v_step.task_id || ':archived',
    jsonb_build_object('chunks', jsonb_array_length(p_chunks)));
  return jsonb_build_object('status', 'archived');
end
$$;
comment on function api.archive_task(uuid, integer, uuid, jsonb, text) is
  'Ends a task: embeddings, metrics, then the freeze. Refuses stale_lease, effect_unknown, illegal_transition, invalid_request.';
revoke all on function api.archive_task(uuid, integer, uuid, jsonb, text) from public;
grant execute on function api.archive_task(uuid, integer, uuid, jsonb, text) to service_role;

select private.close_table('public.embeddings');
select private.close_table('public.metrics');
select private.allow_members('public.embeddings', 'owner', 'operator', 'reviewer');
select private.allow_members('public.metrics', 'owner', 'operator', 'reviewer');
