-- The promise of this file: whether the ways around a tool that is away are there is looked at every week, not when they are needed.
-- Refuses: nothing.

create table public.fallback_checks (
  check_id bigint generated always as identity primary key,
  checked_at timestamptz not null default private.now(),
  healthy boolean not null,
  findings jsonb not null,
  constraint healthy_exactly_without_findings check (healthy = (findings = '[]'))
);
comment on table public.fallback_checks is 'The weekly look at breakers, fallback queue and cache: what was found wrong, each as a sentence.';

-- What the house does in its own rows: neither can be away while this database is there.
create function private.house_tools() returns text[]
language sql immutable set search_path = '' as $$ select array['artifacts.read', 'accounts.read', 'record.result'] $$;

create function private.policy_tools() returns setof text
language sql stable set search_path = ''
as $$
  select t.tool from public.policies p cross join lateral (
    select jsonb_array_elements_text(a.value) as tool from jsonb_each(p.body -> 'tools') a
    union select jsonb_object_keys(p.body #> '{rate_limits,tools}')) t
  where p.status = 'active'
$$;
comment on function private.policy_tools() is 'Every tool that the active policy lists or counts.';

create function private.fallback_findings() returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(f.finding order by f.finding), '[]') from (
    select format('%s has no breaker', t.tool) as finding from private.policy_tools() t(tool)
    where t.tool <> all (private.house_tools()) and not exists (select 1 from public.circuit_breakers b where b.tool = t.tool)
    union all
    select format('%s steps have waited for %s for more than an hour, and it is there', count(*), q.tool)
    from public.fallback_queue q join public.circuit_breakers b using (tool)
    where q.drained_at is null and q.since < private.now() - interval '1 hour' and b.state = 'closed' and coalesce(b.changed_at, q.since) < private.now() - interval '1 hour'
    group by q.tool
    union all
    select format('%s has not been closed for more than a day', b.tool) from public.circuit_breakers b where b.first_opened_at < private.now() - interval '1 day'
    union all
    select format('the job %s did not end well lately', j.job_name) from public.jobs j
    where j.job_name in ('tend_breakers', 'fill_retrieval_cache') and (not j.enabled or j.last_status is distinct from 'ok'
      or j.last_run_at < private.now() - make_interval(secs => greatest(3600, 10 * j.every_seconds)))
    union all
    -- Something was found since, and the cache does not have it.
    select format('what was found on %s is not in the cache, which is of %s', n.symbol, coalesce(private.iso(c.found_at), 'never'))
    from (select private.found_on(a.content) as symbol, max(a.created_at) as created_at from public.artifacts a
      where a.type = 'retrieval' and a.created_at between private.now() - interval '7 days' and private.now() - interval '1 hour' group by 1) n
    left join public.retrieval_cache c using (symbol)
    where n.symbol is not null and (c.found_at is null or c.found_at < n.created_at)
    union all
    select format('%s dead letters are older than a week', count(*)) from public.dead_letters l
    where l.resolution is null and l.last_failed_at < private.now() - interval '7 days' having count(*) > 0
  ) f
$$;
comment on function private.fallback_findings() is 'What is wrong with the ways around a tool that is away, each as a sentence; an empty list where nothing is.';

create function private.fallback_health() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_findings jsonb := private.fallback_findings();
begin
  perform private.act_as('clock', 'fallback.check');
  insert into public.fallback_checks (healthy, findings) values (v_findings = '[]', v_findings);
  if v_findings = '[]' then
    perform private.close_alert_of('fallback_unhealthy', 'fallbacks');
  else
    perform private.alert_once('fallback_unhealthy', 'fallbacks', left(v_findings ->> 0, 200), null, null);
  end if;
  return jsonb_array_length(v_findings);
end
$$;
comment on function private.fallback_health() is 'The weekly job: looks at breakers, fallback queue, cache and dead letters, writes down what it found, and rings where something is wrong.';

select private.close_table('public.fallback_checks');
select private.allow_members('public.fallback_checks', 'owner', 'operator', 'reviewer');
select private.keep_history('public.fallback_checks');
insert into public.jobs (job_name, every_seconds, next_run_at) values ('fallback_health', 604800, private.now() + interval '1 hour');
