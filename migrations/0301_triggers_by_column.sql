-- The promise of this file: the rows that change most are guarded and audited by their columns, and what is written and what is
-- refused is what private.guard_transitions and private.audit_rows would write and refuse. Raises: AGTRN (illegal_transition).

-- A whole row as jsonb, twice, joined and compared key by key, was four fifths of a transition. A trigger that knows its table
-- compares columns and makes jsonb of what changed alone. It is written out by these functions, so that a table has one list
-- of its columns: the catalogue. They are called anew after a column was added; until then the rows go the long way.

create function private.guard_by_column(p_table regclass, p_subject text, p_key text) returns void
language plpgsql set search_path = ''
as $outer$
declare
  v_function text := format('private.guard_%s', (select c.relname from pg_catalog.pg_class c where c.oid = p_table));
begin
  execute format($function$
create or replace function %1$s() returns trigger
language plpgsql set search_path = '' set enable_nestloop = off
as $body$
declare
  v_bad record;
begin
  if tg_op = 'INSERT' then
    select '(new)' as was, n.status as became, n.%2$I as key into v_bad from new_rows n
    where not exists (select 1 from private.transitions t where t.subject = %3$L and t.from_status = '(new)' and t.to_status = n.status) limit 1;
  else
    select o.status as was, n.status as became, n.%2$I as key into v_bad
    from new_rows n left join old_rows o on o.%2$I = n.%2$I
    where o.%2$I is null or (n.status is distinct from o.status and not exists (select 1 from private.transitions t
      where t.subject = %3$L and t.from_status = o.status and t.to_status = n.status)) limit 1;
  end if;
  if found then
    perform private.raise_refusal('illegal_transition',
      format('%%s %%s cannot go from %%s to %%s', %3$L, v_bad.key, coalesce(v_bad.was, 'another key'), v_bad.became),
      'use the api function that owns this transition; docs/state-machine.md has the edges');
  end if;
  return null;
end
$body$
$function$, v_function, p_key, p_subject);
  execute format('create or replace trigger _100_guard_insert after insert on %s referencing new table as new_rows '
    'for each statement execute function %s()', p_table, v_function);
  execute format('create or replace trigger _100_guard_update after update on %s referencing old table as old_rows new table as new_rows '
    'for each statement execute function %s()', p_table, v_function);
end
$outer$;
comment on function private.guard_by_column(regclass, text, text) is
  'The guard of inserts and updates of a table as a function of its own, which compares two columns and not whole rows.';

create function private.audit_by_column(p_table regclass, p_object text, p_key text) returns void
language plpgsql set search_path = ''
as $outer$
declare
  v_function text := format('private.audit_%s', (select c.relname from pg_catalog.pg_class c where c.oid = p_table));
  -- In a whole row as jsonb a column that is null and one that holds the json null look the same.
  v_pair text := 'case when %4$s then %2$L || coalesce(to_json(%3$s.%1$I)::text, ''null'') end';
  v_json text := 'coalesce(o.%1$I, ''null'') is distinct from coalesce(n.%1$I, ''null'')';
  v_other text := 'o.%1$I is distinct from n.%1$I';
  v_was text;
  v_became text;
  v_columns integer;
begin
  select string_agg(format(v_pair, a.attname, p.name, 'o', p.differs), E',\n      ' order by a.attnum),
    string_agg(format(v_pair, a.attname, p.name, 'n', p.differs), E',\n      ' order by a.attnum), max(c.relnatts)
  into v_was, v_became, v_columns
  from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
  cross join lateral (select to_json(a.attname::text)::text || ':' as name,
    format(case a.atttypid when 'jsonb'::regtype then v_json else v_other end, a.attname) as differs) p
  where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped;
  execute format($function$
create or replace function %1$s() returns trigger
language plpgsql set search_path = '' set enable_nestloop = off
as $body$
declare
  v_now timestamptz := private.now();
  v_actor text := coalesce(nullif(current_setting('dags.actor', true), ''), session_user);
  v_action text := coalesce(nullif(current_setting('dags.action', true), ''), tg_table_name || '.' || lower(tg_op));
  v_changed bigint;
  v_written bigint;
begin
  if (select c.relnatts from pg_catalog.pg_class c where c.oid = tg_relid) = %2$s then
    with pairs as materialized (
      select coalesce(n.%3$I, o.%3$I) as key, coalesce(n.task_id, o.task_id) as task_id,
        case when n.%3$I is null then to_jsonb(o)::text when o.%3$I is not null then '{' || concat_ws(',', %4$s) || '}' end as was,
        case when o.%3$I is null then to_jsonb(n)::text when n.%3$I is not null then '{' || concat_ws(',', %5$s) || '}' end as became
      from new_rows n full join old_rows o on o.%3$I = n.%3$I
    ), written as (
      insert into public.audit_logs (ts, actor, action, object, task_id, before_json, after_json)
      select v_now, v_actor, v_action, %6$L || p.key, p.task_id, p.was::jsonb, p.became::jsonb from pairs p where p.became is distinct from '{}'
      returning 1
    )
    select (select count(*) from pairs p where p.became is distinct from '{}'), (select count(*) from written) into v_changed, v_written;
  else
    -- A column has been added since: whole rows, key by key.
    with changed as materialized (
      select coalesce(n.%3$I, o.%3$I) as key, coalesce(n.task_id, o.task_id) as task_id,
        case when o.%3$I is not null then to_jsonb(o) end as was, case when n.%3$I is not null then to_jsonb(n) end as became
      from new_rows n full join old_rows o on o.%3$I = n.%3$I where o.%3$I is null or n.%3$I is null or to_jsonb(n) is distinct from to_jsonb(o)
    ), written as (
      insert into public.audit_logs (ts, actor, action, object, task_id, before_json, after_json)
      select v_now, v_actor, v_action, %6$L || c.key, c.task_id, case when c.became is null then c.was else d.was end,
        case when c.was is null then c.became else d.became end
      from changed c left join lateral (select jsonb_object_agg(e.key, c.was -> e.key) as was, jsonb_object_agg(e.key, e.value) as became
        from jsonb_each(c.became) e where c.was -> e.key is distinct from e.value) d on c.was is not null and c.became is not null
      returning 1
    )
    select (select count(*) from changed), (select count(*) from written) into v_changed, v_written;
  end if;
  -- Somebody may swallow audit rows without an error: then the change does not happen either.
  if v_written <> v_changed then
    raise exception 'the audit rows of %% were not written', tg_table_name;
  end if;
  return null;
end
$body$
$function$, v_function, v_columns, p_key, v_was, v_became, p_object || ':');
  execute format('create or replace trigger _800_audit_update after update on %s referencing old table as old_rows new table as new_rows '
    'for each statement execute function %s()', p_table, v_function);
end
$outer$;
comment on function private.audit_by_column(regclass, text, text) is
  'The audit of updates of a table with a task_id as a function of its own, which makes jsonb of the changed columns alone. Call it again after adding a column.';

select private.guard_by_column('public.tasks', 'task', 'task_id');
select private.guard_by_column('public.task_steps', 'step', 'step_id');
select private.audit_by_column('public.tasks', 'task', 'task_id');
select private.audit_by_column('public.task_steps', 'step', 'step_id');

-- The row as jsonb once, not once for each time it is named.
create or replace function private.audit_rows() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_actor text := coalesce(nullif(current_setting('dags.actor', true), ''), session_user);
  v_action text := coalesce(nullif(current_setting('dags.action', true), ''), tg_table_name || '.' || lower(tg_op));
  v_changed bigint;
  v_written bigint;
begin
  if tg_op = 'INSERT' then
    insert into public.audit_logs (ts, actor, action, object, task_id, after_json)
    select v_now, v_actor, v_action, tg_argv[0] || ':' || (r.body ->> tg_argv[1]), r.body ->> 'task_id', r.body
    from (select to_jsonb(a) as body from new_rows a offset 0) r;
    get diagnostics v_written = row_count;
    select count(*) into v_changed from new_rows;
  elsif tg_op = 'DELETE' then
    insert into public.audit_logs (ts, actor, action, object, task_id, before_json)
    select v_now, v_actor, v_action, tg_argv[0] || ':' || (r.body ->> tg_argv[1]), r.body ->> 'task_id', r.body
    from (select to_jsonb(b) as body from old_rows b offset 0) r;
    get diagnostics v_written = row_count;
    select count(*) into v_changed from old_rows;
  else
    -- A row whose key changed leaves under the old name and arrives under the new one.
    with changed as materialized (
      select n.body as became, o.body as was
      from (select to_jsonb(a) as body from new_rows a offset 0) n
      full join (select to_jsonb(b) as body from old_rows b offset 0) o on o.body -> tg_argv[1] = n.body -> tg_argv[1]
      where n.body is distinct from o.body
    ), written as (
      insert into public.audit_logs (ts, actor, action, object, task_id, before_json, after_json)
      select v_now, v_actor, v_action, tg_argv[0] || ':' || (coalesce(c.became, c.was) ->> tg_argv[1]), coalesce(c.became, c.was) ->> 'task_id',
        case when c.became is null then c.was when c.was is not null then d.was end,
        case when c.was is null then c.became when c.became is not null then d.became end
      from changed c cross join lateral (
        select jsonb_object_agg(e.key, c.was -> e.key) as was, jsonb_object_agg(e.key, e.value) as became
        from jsonb_each(c.became) e where c.was -> e.key is distinct from e.value
      ) d
      returning 1
    )
    select (select count(*) from changed), (select count(*) from written) into v_changed, v_written;
  end if;
  -- Somebody may swallow audit rows without an error: then the change does not happen either.
  if v_written <> v_changed then
    raise exception 'the audit rows of % were not written', tg_table_name;
  end if;
  return null;
end
$$;

-- One look at the tasks of the rows, whether they stay, leave or arrive.
create or replace function private.refuse_frozen() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_task_id text;
begin
  -- The status by the key of each task, whatever the statistics say: an archive grows for ever.
  if tg_op = 'INSERT' then
    select r.task_id into v_task_id from (select distinct n.task_id from new_rows n) r
    where (select t.status from public.tasks t where t.task_id = r.task_id) = 'archived' limit 1;
  elsif tg_op = 'DELETE' then
    select r.task_id into v_task_id from (select distinct o.task_id from old_rows o) r
    where (select t.status from public.tasks t where t.task_id = r.task_id) = 'archived' limit 1;
  else
    -- A row moved to another task leaves one and enters the other.
    select r.task_id into v_task_id from (select o.task_id from old_rows o union select n.task_id from new_rows n) r
    where (select t.status from public.tasks t where t.task_id = r.task_id) = 'archived' limit 1;
  end if;
  if v_task_id is not null then
    perform private.raise_refusal('archived_is_frozen', format('%s is archived; %s on %s is not allowed',
      v_task_id, tg_op, tg_table_name), 'open a new task with parent_task_id');
  end if;
  return null;
end
$$;

-- The same condition in the trigger's own words: a function of two whole rows was called for every change of a task.
create or replace trigger _860_show_what_holds after update on public.tasks for each row
  when ((old.status = 'paused' and old.reason is not distinct from 'effect_unknown')
      <> (new.status = 'paused' and new.reason is not distinct from 'effect_unknown')
    or (old.status = 'pending_exec' and new.status = 'running'))
  execute function private.show_what_holds();
