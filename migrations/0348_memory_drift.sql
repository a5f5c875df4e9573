-- The promise of this file: what was found before and is out of date is not cited any more, and who used it is known. Refuses: invalid_request.

alter table public.retrieval_cache add column invalidated_at timestamptz;
comment on column public.retrieval_cache.invalidated_at is 'Not cited any more, until something newer is found.';

create function private.cites_stale_chunks(p_retrieval text) returns boolean
language sql stable set search_path = ''
as $$
  select coalesce((select bool_or(not exists (select 1 from public.embeddings e where e.chunk_id::text = k ->> 'chunk_id'
      and e.version::text = coalesce(k ->> 'version', e.version::text)
      and not exists (select 1 from public.embeddings n where n.artifact_id = e.artifact_id and n.version > e.version)))
    from jsonb_array_elements(case jsonb_typeof(j.body -> 'chunks') when 'array' then j.body -> 'chunks' else '[]' end) k), false)
  from (select private.json_or_null(p_retrieval) as body) j
$$;
comment on function private.cites_stale_chunks(text) is 'Whether a retrieval cites a chunk that is not in the memory, or not in its newest version.';

-- Out of date: older than a day, or one of its chunks has gone from the memory or has a newer version.
create function private.stale_retrievals() returns setof public.retrieval_cache
language sql stable set search_path = ''
as $$
  select c.* from public.retrieval_cache c join public.artifacts a using (artifact_id)
  where (c.invalidated_at is null or c.found_at > c.invalidated_at)
    and (c.found_at < private.now() - interval '1 day' or private.cites_stale_chunks(a.content))
$$;

create or replace function api.cached_retrieval(p_symbol text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object('chunks', private.json_or_null(a.content) -> 'chunks', 'as_of', private.iso(c.found_at), 'artifact_id', c.artifact_id, 'stale', true)
  from public.retrieval_cache c join public.artifacts a using (artifact_id)
  where c.symbol = p_symbol and (c.invalidated_at is null or c.found_at > c.invalidated_at)
$$;
comment on function api.cached_retrieval(text) is 'What was last found on a symbol, always marked stale; null where nothing was, or what was found is out of date.';

create function api.memory_drift(p_task_id text default null) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'cache', coalesce((select jsonb_agg(jsonb_build_object('symbol', c.symbol, 'found_at', private.iso(c.found_at)) order by c.symbol)
      from private.stale_retrievals() c), '[]'),
    'memory', coalesce((select jsonb_object_agg(h.finding, h.n) from (
      select f.finding, count(*) as n from public.working_memory m left join public.tasks t using (task_id)
      cross join lateral (select case when m.expires_at <= private.now() then 'expired' when m.task_id is null then 'orphan: no task'
        when t.ended_at is not null then 'orphan: its task has ended' end as finding) f
      where f.finding is not null group by f.finding) h), '{}'),
    -- Tasks that are not ended and whose newest retrieval cites what is out of date.
    'tasks', coalesce((select jsonb_agg(jsonb_build_object('task_id', t.task_id, 'status', t.status, 'artifact_id', r.artifact_id,
        'as_of', private.json_or_null(r.content) -> 'as_of') order by t.task_id)
      from public.tasks t cross join lateral (select a.* from public.artifacts a where a.task_id = t.task_id and a.type = 'retrieval'
        order by a.created_at desc limit 1) r
      where t.ended_at is null and (p_task_id is null or t.task_id = p_task_id)
        and (private.json_or_null(r.content) -> 'stale' = 'true' or private.cites_stale_chunks(r.content))), '[]'),
    'mirror', (select jsonb_build_object('assets', count(*), 'newest', private.iso(max(o.synced_at)),
        'unknown_checksums', count(*) filter (where o.checksum is not null and not exists (select 1 from public.artifacts a where a.checksum = o.checksum)),
        'missing', case when count(*) > 0 then (select count(*) from public.artifacts a join public.tasks t using (task_id)
          where t.status = 'archived' and not exists (select 1 from public.one_drive_assets x where x.object_key ilike 'dags/%' and x.checksum = a.checksum)) end)
      from public.one_drive_assets o where o.object_key ilike 'dags/%'))
$$;
comment on function api.memory_drift(text) is
  'What the memory holds that is out of date: cached retrievals, short-term keys, open tasks that cite it, and the mirror''s manifest against the artifacts of archived tasks, by checksum. Administrator only.';
revoke all on function api.memory_drift(text) from public;
grant execute on function api.memory_drift(text) to administrator;

create function api.invalidate_retrievals(p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  if coalesce(length(p_actor), 0) not between 1 and 200 then
    return private.refuse('invalid_request', p_actor, 'retrieval.invalidate', 'retrieval_cache', null, 'Somebody invalidates.');
  end if;
  perform private.act_as(p_actor, 'retrieval.invalidate');
  update public.retrieval_cache c set invalidated_at = private.now() where c.symbol in (select s.symbol from private.stale_retrievals() s);
  get diagnostics v_count = row_count;
  return jsonb_build_object('invalidated', v_count);
end
$$;
comment on function api.invalidate_retrievals(text) is 'What was found before and is out of date is not cited any more. Refuses invalid_request. Administrator only.';
revoke all on function api.invalidate_retrievals(text) from public;
grant execute on function api.invalidate_retrievals(text) to administrator;

create function api.purge_memory(p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  if coalesce(length(p_actor), 0) not between 1 and 200 then
    return private.refuse('invalid_request', p_actor, 'memory.purge', 'working_memory', null, 'Somebody purges.');
  end if;
  v_count := private.purge_working_memory();
  insert into public.audit_logs (actor, action, object, after_json) values (p_actor, 'memory.purge', 'working_memory', jsonb_build_object('purged', v_count));
  return jsonb_build_object('purged', v_count);
end
$$;
comment on function api.purge_memory(text) is 'Removes expired and orphaned keys of the short-term memory now and not within the hour. Refuses invalid_request. Administrator only.';
revoke all on function api.purge_memory(text) from public;
grant execute on function api.purge_memory(text) to administrator;
