-- The promise of this file: whoever reads the events in order meets each of them, however late its transaction commits.
-- Refuses: nothing.

-- seq is handed out before the commit: a reader that remembers the highest one would pass over a smaller one that commits
-- later. The number of the writing transaction does not have that fault: whatever is below the oldest one that still
-- runs is settled. It costs the writer eight bytes and no lock.
alter table public.events add column written_by xid8 not null default pg_current_xact_id();
comment on column public.events.written_by is 'The transaction that wrote the row. Readers go by (written_by, seq), and only below the oldest transaction that still runs.';
create index events_in_order on public.events (written_by, seq);

-- Rows that were restored from a dump carry the numbers of another server, and those of this one may be smaller. So what
-- was restored is closed off as a generation of its own, and the numbers are compared within one generation alone.
create table public.event_generations (
  generation integer primary key check (generation >= 0),
  up_to_seq bigint not null,
  noticed_at timestamptz not null default private.now()
);
comment on table public.event_generations is 'One row per restore of the events from a dump: the highest seq that came with it. Later events belong to the next generation.';
create unique index event_generations_in_order on public.event_generations (up_to_seq);

create function private.current_generation() returns integer
language sql stable set search_path = ''
as $$ select coalesce(max(g.generation) + 1, 0) from public.event_generations g $$;

-- A row that can be seen was committed, so its number lies below the next one to be given, or another server gave it.
create function private.notice_restored_events() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_up_to bigint;
begin
  select max(e.seq) into v_up_to from public.events e
  where e.written_by >= pg_snapshot_xmax(pg_current_snapshot()) and e.written_by is distinct from pg_current_xact_id_if_assigned()
    and e.seq > coalesce((select max(g.up_to_seq) from public.event_generations g), 0);
  if v_up_to is null then
    return 0;
  end if;
  perform private.act_as('clock', 'events.restored');
  insert into public.event_generations (generation, up_to_seq) values (private.current_generation(), v_up_to)
  on conflict do nothing;
  return 1;
end
$$;
comment on function private.notice_restored_events() is
  'The job that closes off what was restored from a dump of another server. Readers call it too, before they read.';
insert into public.jobs (job_name, every_seconds) values ('notice_restored_events', 60);

create type private.event_position as (generation integer, written_by xid8, seq bigint);

create function private.position_text(p_position private.event_position) returns text
language sql immutable strict set search_path = ''
as $$ select (p_position).generation || '.' || (p_position).written_by || '.' || (p_position).seq $$;

-- Null where the text is no position.
create function private.position_of(p_text text) returns private.event_position
language sql immutable strict set search_path = ''
as $$
  select case when p_text ~ '^\d{1,9}\.\d{1,18}\.\d{1,18}$' then row(
    split_part(p_text, '.', 1)::integer, split_part(p_text, '.', 2)::xid8, split_part(p_text, '.', 3)::bigint)::private.event_position end
$$;

-- The settled events after a position, in order, of one generation: those below the oldest transaction that still runs.
-- A closed generation is settled as a whole.
create function private.settled_events(p_after private.event_position, p_limit integer) returns setof public.events
language plpgsql stable rows 100 set search_path = ''
as $$
declare
  v_from bigint := coalesce((select max(g.up_to_seq) from public.event_generations g where g.generation < (p_after).generation), 0);
  v_up_to bigint := (select g.up_to_seq from public.event_generations g where g.generation = (p_after).generation);
begin
  if v_up_to is not null then
    return query select e.* from public.events e
      where (e.written_by, e.seq) > ((p_after).written_by, (p_after).seq) and e.seq > v_from and e.seq <= v_up_to
      order by e.written_by, e.seq limit p_limit;
  else
    return query select e.* from public.events e
      where (e.written_by, e.seq) > ((p_after).written_by, (p_after).seq) and e.seq > v_from
        and e.written_by < pg_snapshot_xmin(pg_current_snapshot())
      order by e.written_by, e.seq limit p_limit;
  end if;
end
$$;
comment on function private.settled_events(private.event_position, integer) is
  'The next events of one generation after a position that no later commit can precede any more.';

-- Where a reader stands who has met everything that is settled now.
create function private.settled_position() returns private.event_position
language plpgsql volatile set search_path = ''
as $$
declare
  v_generation integer := private.current_generation();
  v_from bigint := coalesce((select max(g.up_to_seq) from public.event_generations g), 0);
  v_last public.events;
begin
  select e.* into v_last from public.events e where e.written_by < pg_snapshot_xmin(pg_current_snapshot()) and e.seq > v_from
  order by e.written_by desc, e.seq desc limit 1;
  return row(v_generation, coalesce(v_last.written_by, '0'::xid8), coalesce(v_last.seq, 0))::private.event_position;
end
$$;

select private.close_table('public.event_generations');
select private.allow_members('public.event_generations', 'owner', 'operator', 'reviewer');
select private.audit('public.event_generations', 'event_generation', 'generation');
