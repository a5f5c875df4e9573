-- The least that a step can be: one row, one index to claim by, a lease. No plan, no guard, no event, no audit row.
create table step (
  id bigint generated always as identity primary key,
  state text not null default 'ready',
  payload jsonb not null default '{}',
  attempt integer not null default 0,
  lease_token uuid,
  lease_until timestamptz,
  ended_at timestamptz
) with (fillfactor = 70);
create index step_ready on step (id) where state = 'ready';
