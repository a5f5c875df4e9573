-- The promise of this file: what grows with every delivery lies in one partition a month, and no partition is a way round
-- its table: each has row-level security of its own, no grants, and a guard against TRUNCATE. Refuses: nothing.

-- Months and not weeks: a look-up by key asks every partition (90 days are five of them, and were sixteen).
create table private.partitioned_tables (
  table_name text primary key check (table_name ~ '^[a-z_]{1,40}$'),
  truncate_guard text not null check (truncate_guard in ('history', 'measurement'))
);
comment on table private.partitioned_tables is 'The tables in public whose rows lie in monthly partitions in private; rotate_partitions looks after them.';

create function private.guard_partition(p_partition regclass, p_truncate_guard text) returns void
language plpgsql set search_path = ''
as $$
begin
  execute format('alter table %s enable row level security', p_partition);
  execute format('revoke all on %s from public, anon, authenticated, service_role', p_partition);
  -- Row triggers come down from the table by themselves, statement triggers do not.
  if p_truncate_guard = 'history' and not exists (
    select 1 from pg_catalog.pg_trigger t where t.tgrelid = p_partition and t.tgname = '_100_no_truncate') then
    execute format('create trigger _100_no_truncate before truncate on %s '
      'for each statement execute function private.refuse_history_change()', p_partition);
  end if;
end
$$;
comment on function private.guard_partition(regclass, text) is 'What a partition needs of its own: row-level security, no grants, and for history a refusal of TRUNCATE.';

-- From the catalog, half-open; null for the default partition. A partition without a beginning begins at minus infinity.
create function private.partition_span(p_partition regclass) returns tstzrange
language sql stable set search_path = ''
as $$
  select tstzrange((regexp_match(b.bounds, 'FROM \(''([^'']+)''\)'))[1]::timestamptz, (regexp_match(b.bounds, 'TO \(''([^'']+)''\)'))[1]::timestamptz)
  from (select pg_catalog.pg_get_expr(c.relpartbound, c.oid) as bounds from pg_catalog.pg_class c where c.oid = p_partition) b
  where b.bounds <> 'DEFAULT'
$$;
comment on function private.partition_span(regclass) is 'The time that a partition covers; null for the default one.';

-- Half-open, in UTC. Null where it is there already, or where rows of that month lie in the default partition: they
-- would have to be moved, and nothing is lost while they stay.
create function private.add_partition(p_table text, p_month date) returns text
language plpgsql set search_path = ''
as $$
declare
  v_name text := format('%s_%s', p_table, to_char(p_month, 'YYYY_MM'));
  v_from text := to_char(p_month, 'YYYY-MM-DD') || ' 00:00:00+00';
  v_to text := to_char(p_month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00';
  v_taken boolean;
begin
  if exists (select 1 from pg_catalog.pg_inherits i where i.inhparent = to_regclass('public.' || quote_ident(p_table))
    and private.partition_span(i.inhrelid) && tstzrange(v_from::timestamptz, v_to::timestamptz)) then
    return null;
  end if;
  execute format('select exists (select 1 from private.%I where %I >= %L and %I < %L)', p_table || '_rest',
    private.partition_key(p_table), v_from, private.partition_key(p_table), v_to) into v_taken;
  if v_taken then
    return null;
  end if;
  execute format('create table private.%I partition of public.%I for values from (%L) to (%L)', v_name, p_table, v_from, v_to);
  perform private.guard_partition(format('private.%I', v_name)::regclass,
    (select t.truncate_guard from private.partitioned_tables t where t.table_name = p_table));
  return v_name;
end
$$;
comment on function private.add_partition(text, date) is 'Makes the partition of one month, guarded; null where there is nothing to make.';

create function private.partition_key(p_table text) returns name
language sql stable set search_path = ''
as $$
  select a.attname from pg_catalog.pg_partitioned_table p join pg_catalog.pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
  where p.partrelid = to_regclass('public.' || quote_ident(p_table))
$$;
comment on function private.partition_key(text) is 'The time column by which a table in public is partitioned; null for one that is not.';

-- The retention jobs remove rows to the day; a month that has passed and is empty leaves whole, so that nothing is left
-- for a vacuum to walk over.
create function private.drop_empty_partition(p_table text, p_partition regclass) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_rows boolean;
begin
  if not exists (select 1 from pg_catalog.pg_inherits i where i.inhrelid = p_partition and i.inhparent = to_regclass('public.' || quote_ident(p_table)))
    or coalesce(upper(private.partition_span(p_partition)) > private.now(), true) then
    return false;
  end if;
  execute format('lock table %s in access exclusive mode', p_partition);
  execute format('select exists (select 1 from %s)', p_partition) into v_rows;
  if v_rows then
    return false;
  end if;
  execute format('drop table %s', p_partition); -- an empty month that has passed
  return true;
end
$$;
comment on function private.drop_empty_partition(text, regclass) is 'Removes the partition of a past month in which no row is left; false where it is anything else.';

-- A view remembers the table itself and not its name: one that read the table which has moved must be told.
create function private.point_views(p_table text) returns integer
language plpgsql set search_path = ''
as $$
declare
  v_view regclass;
  v_count integer := 0;
begin
  for v_view in
    select distinct w.ev_class::regclass from pg_catalog.pg_depend d join pg_catalog.pg_rewrite w on w.oid = d.objid
    where d.classid = 'pg_catalog.pg_rewrite'::regclass and d.refobjid = to_regclass('private.' || quote_ident(p_table))
  loop
    execute format('create or replace view %s with (security_invoker = true) as %s', v_view,
      replace(pg_catalog.pg_get_viewdef(v_view), format(' private.%I ', p_table), format(' public.%I ', p_table)));
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
comment on function private.point_views(text) is 'Makes the views of a table that moved into private read the one in public; how many there were.';

create function private.rotate_partitions() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_table record;
  v_partition regclass;
  v_month date := date_trunc('month', private.now() at time zone 'UTC')::date;
  v_made text[] := '{}';
  v_gone text[] := '{}';
  v_name text;
begin
  for v_table in select t.table_name from private.partitioned_tables t order by 1 loop
    for i in 0..3 loop
      v_name := private.add_partition(v_table.table_name, (v_month + make_interval(months => i))::date);
      v_made := v_made || v_name;
    end loop;
    for v_partition in select i.inhrelid::regclass from pg_catalog.pg_inherits i
      where i.inhparent = to_regclass('public.' || quote_ident(v_table.table_name)) order by 1
    loop
      v_name := v_partition::text;
      if private.drop_empty_partition(v_table.table_name, v_partition) then
        v_gone := v_gone || v_name;
      end if;
    end loop;
  end loop;
  v_made := array_remove(v_made, null);
  if cardinality(v_made) + cardinality(v_gone) > 0 then
    insert into public.audit_logs (actor, action, object, after_json) values ('clock', 'partitions.rotate', 'job:rotate_partitions',
      jsonb_build_object('made', to_jsonb(v_made), 'gone', to_jsonb(v_gone)));
  end if;
  return cardinality(v_made) + cardinality(v_gone);
end
$$;
comment on function private.rotate_partitions() is 'Keeps three months ahead and drops past months that are empty. A row for which there is no month goes to the default partition and is not lost.';

insert into public.jobs (job_name, every_seconds) values ('rotate_partitions', 86400);
