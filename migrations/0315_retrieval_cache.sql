-- The promise of this file: what was last found on a symbol is kept, so that a task can go on while nothing can be searched, and
-- says that it is old. Refuses: nothing.

create table public.retrieval_cache (
  symbol text primary key check (length(symbol) between 1 and 64),
  artifact_id uuid not null references public.artifacts (artifact_id),
  found_at timestamptz not null
);
comment on table public.retrieval_cache is 'The newest retrieval of each symbol that found something; what it found stands in its artifact. A job fills it: no task pays for it.';
create index retrieval_cache_by_artifact on public.retrieval_cache (artifact_id);
create index artifacts_retrieved on public.artifacts (created_at) where type = 'retrieval';

create function private.json_or_null(p_text text) returns jsonb
language plpgsql immutable set search_path = ''
as $$
begin
  return p_text::jsonb;
exception when others then
  return null;
end
$$;

-- What stood in for a search is not kept as a search; nor is that nothing was found.
create function private.found_on(p_retrieval text) returns text
language sql immutable set search_path = ''
as $$
  select left(j.body ->> 'symbol', 64) from (select private.json_or_null(p_retrieval) as body) j
  where j.body ->> 'symbol' <> '' and j.body -> 'stale' is null
    and case jsonb_typeof(j.body -> 'chunks') when 'array' then jsonb_array_length(j.body -> 'chunks') > 0 else false end
$$;
comment on function private.found_on(text) is 'The symbol on which a retrieval found something by searching, else null.';

create function private.fill_retrieval_cache() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_since timestamptz := coalesce((select j.last_run_at - interval '1 minute' from public.jobs j where j.job_name = 'fill_retrieval_cache'), '-infinity');
  v_count integer;
begin
  perform private.act_as('clock', 'cache.fill');
  with found as (
    select distinct on (r.symbol) r.symbol, r.artifact_id, r.created_at
    from (select private.found_on(n.content) as symbol, n.artifact_id, n.created_at
      from public.artifacts n where n.type = 'retrieval' and n.created_at >= v_since order by n.created_at desc limit 1000) r
    where r.symbol is not null order by r.symbol, r.created_at desc, r.artifact_id
  )
  insert into public.retrieval_cache as c (symbol, artifact_id, found_at)
  select f.symbol, f.artifact_id, f.created_at from found f
  on conflict (symbol) do update set artifact_id = excluded.artifact_id, found_at = excluded.found_at
    where c.found_at < excluded.found_at;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function private.fill_retrieval_cache() is 'Takes what was found since the last time into the cache, the newest per symbol.';

create function api.cached_retrieval(p_symbol text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object('chunks', private.json_or_null(a.content) -> 'chunks', 'as_of', private.iso(c.found_at), 'artifact_id', c.artifact_id, 'stale', true)
  from public.retrieval_cache c join public.artifacts a using (artifact_id) where c.symbol = p_symbol
$$;
comment on function api.cached_retrieval(text) is 'What was last found on a symbol, always marked stale; null where nothing was.';
revoke all on function api.cached_retrieval(text) from public;
grant execute on function api.cached_retrieval(text) to service_role;

select private.close_table('public.retrieval_cache');
select private.allow_members('public.retrieval_cache', 'owner', 'operator', 'reviewer');
select private.audit('public.retrieval_cache', 'retrieval', 'symbol');
insert into public.jobs (job_name, every_seconds) values ('fill_retrieval_cache', 60);
