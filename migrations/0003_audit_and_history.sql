-- The promise of this file: what happened is written in the transaction in which it happened, and stays.
-- Raises: AGHIS (history_is_append_only).

create table public.audit_logs (
  id bigint generated always as identity primary key,
  ts timestamptz not null default private.now(),
  tenant_id text not null default 'main',
  actor text not null,
  action text not null,
  object text not null,
  task_id text,
  outcome text not null default 'done',
  code text references private.refusal_codes (code),
  before_json jsonb,
  after_json jsonb,
  login text not null default session_user,
  constraint outcome_is_done_or_refused check (outcome in ('done', 'refused')),
  constraint refused_exactly_when_coded check ((outcome = 'refused') = (code is not null))
);
comment on table public.audit_logs is
  'Who did what to which object. after_json of an insert is the whole row, of an update the changed columns; folding them gives the current row.';
create index audit_logs_object_in_order on public.audit_logs (object, id);
create index audit_logs_by_task on public.audit_logs (task_id, id);
create index audit_logs_refusals on public.audit_logs (code, id) where code is not null;

create function private.act_as(p_actor text, p_action text) returns void
language sql volatile set search_path = ''
as $$ select set_config('dags.actor', p_actor, true), set_config('dags.action', p_action, true) $$;
comment on function private.act_as(text, text) is 'Names the actor and action of the audit rows of this transaction.';

create function private.refuse(
  p_code text, p_actor text, p_action text, p_object text, p_task_id text default null,
  p_reason text default null, p_extra jsonb default '{}'
) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_code text := coalesce((select r.code from private.refusal_codes r where r.code = p_code), 'internal');
begin
  -- A refusal must not fail itself: what is missing is said as such.
  insert into public.audit_logs (actor, action, object, task_id, outcome, code, after_json)
  values (coalesce(nullif(left(p_actor, 200), ''), 'unknown'), p_action, coalesce(left(p_object, 200), 'unknown'), p_task_id, 'refused',
    v_code, p_extra || case when p_reason is null then '{}'::jsonb else jsonb_build_object('reason', p_reason) end);
  return jsonb_strip_nulls(p_extra || jsonb_build_object('refused', v_code, 'reason', p_reason));
end
$$;
comment on function private.refuse(text, text, text, text, text, text, jsonb) is
  'An expected refusal: an audit row and a value. A raise would roll the audit row back.';

-- One audit row per changed row, written by the statement that changed it. tg_argv: object prefix, key column.
create function private.audit_rows() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_actor text := coalesce(nullif(current_setting('dags.actor', true), ''), session_user);
  v_action text := coalesce(nullif(current_setting('dags.action', true), ''), tg_table_name || '.' || lower(tg_op));
  v_changed bigint;
  v_written bigint;
begin
  if tg_op = 'INSERT' then
    insert into public.audit_logs (actor, action, object, task_id, after_json)
    select v_actor, v_action, tg_argv[0] || ':' || (r.body ->> tg_argv[1]), r.body ->> 'task_id', r.body
    from (select to_jsonb(a) as body from new_rows a) r;
    get diagnostics v_written = row_count;
    select count(*) into v_changed from new_rows;
  elsif tg_op = 'DELETE' then
    insert into public.audit_logs (actor, action, object, task_id, before_json)
    select v_actor, v_action, tg_argv[0] || ':' || (r.body ->> tg_argv[1]), r.body ->> 'task_id', r.body
    from (select to_jsonb(b) as body from old_rows b) r;
    get diagnostics v_written = row_count;
    select count(*) into v_changed from old_rows;
  else
    -- A row whose key changed leaves under the old name and arrives under the new one.
    with changed as materialized (
      select n.body as became, o.body as was
      from (select to_jsonb(a) as body from new_rows a) n
      full join (select to_jsonb(b) as body from old_rows b) o on o.body -> tg_argv[1] = n.body -> tg_argv[1]
      where n.body is distinct from o.body
    ), written as (
      insert into public.audit_logs (actor, action, object, task_id, before_json, after_json)
      select v_actor, v_action, tg_argv[0] || ':' || (coalesce(c.became, c.was) ->> tg_argv[1]), coalesce(c.became, c.was) ->> 'task_id',
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

create function private.audit(p_table regclass, p_object text, p_key text) returns void
language plpgsql set search_path = ''
as $$
begin
  execute format('create trigger _800_audit_insert after insert on %s referencing new table as new_rows '
    'for each statement execute function private.audit_rows(%L, %L)', p_table, p_object, p_key);
  execute format('create trigger _800_audit_update after update on %s referencing old table as old_rows new table as new_rows '
    'for each statement execute function private.audit_rows(%L, %L)', p_table, p_object, p_key);
  execute format('create trigger _800_audit_delete after delete on %s referencing old table as old_rows '
    'for each statement execute function private.audit_rows(%L, %L)', p_table, p_object, p_key);
  execute format('create trigger _800_no_truncate before truncate on %s '
    'for each statement execute function private.refuse_history_change()', p_table);
end
$$;
comment on function private.audit(regclass, text, text) is
  'Closes a capability file: every change of the table from here on leaves an audit row; TRUNCATE, which cannot, is refused.';

-- History knows no owner exemption. The retention job is recognised by its own statement on top of the call stack:
-- a setting could be made by anyone, and its bare name could stand in anyone's comment.
create function private.refuse_history_change() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_stack text;
begin
  get diagnostics v_stack = pg_context;
  if v_stack ~ ('^PL/pgSQL function private\.refuse_history_change\(\) line [0-9]+ at GET DIAGNOSTICS\n'
    'SQL statement "delete from public\.(event_receipts r where r|telegram_updates u where u)\.received_at < v_before"\n'
    'PL/pgSQL function private\.prune_history\(\) line ') then
    return old;
  end if;
  perform private.raise_refusal('history_is_append_only',
    format('%s on %s.%s is not allowed', tg_op, tg_table_schema, tg_table_name),
    'append a correcting row; the retention job alone removes old raw data');
  return null;
end
$$;

create function private.keep_history(p_table regclass) returns void
language plpgsql set search_path = ''
as $$
begin
  execute format('create trigger _100_append_only before update or delete on %s '
    'for each row execute function private.refuse_history_change()', p_table);
  execute format('create trigger _100_no_truncate before truncate on %s '
    'for each statement execute function private.refuse_history_change()', p_table);
end
$$;

-- Every public table closes like this: row-level security on, nobody in, the auditor may read.
create function private.close_table(p_table regclass) returns void
language plpgsql set search_path = ''
as $$
begin
  execute format('alter table %s enable row level security', p_table);
  execute format('revoke all on %s from public, anon, authenticated, service_role', p_table);
  execute format('grant select on %s to auditor', p_table);
  execute format('create policy "auditor reads everything" on %s for select to auditor using (true)', p_table);
end
$$;
comment on function private.close_table(regclass) is 'Row-level security with one policy: select to auditor.';

select private.close_table('public.audit_logs');
select private.keep_history('public.audit_logs');
