-- finds: that no trouble was made on purpose, and recovered from, for 90 days.
-- Read: a row means that nobody knows whether the runbooks still work: run `npm run ags -- chaos tool-down`. Runs that were not recovered from do not count.
with run as (
  select count(*) as total, max(r.ended_at) filter (where r.recovered) as good from public.chaos_runs r
)
select 'no chaos run is on record' as finding, 'chaos_runs' as object, null::text as task_id, 'none was ever made' as detail
from run where run.total = 0
union all
select 'no chaos run was recovered from', 'chaos_runs', null, run.total || ' runs' from run where run.total > 0 and run.good is null
union all
select 'the last chaos run is too old', 'chaos_runs', null, 'it ended at ' || run.good from run where run.good < now() - interval '90 days'
order by 1, 2;
