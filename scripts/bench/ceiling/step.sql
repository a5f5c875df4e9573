insert into step (payload) select '{}' from generate_series(1, :k);
with pick as materialized (
  select id from step where state = 'ready' order by id limit :k for update skip locked
), claimed as (
  update step s set state = 'running', attempt = s.attempt + 1, lease_token = gen_random_uuid(),
    lease_until = clock_timestamp() + interval '30 s'
  from pick where s.id = pick.id returning s.id
)
select coalesce(array_agg(id), '{}') as ids from claimed \gset
update step set state = 'done', lease_token = null, lease_until = null, ended_at = clock_timestamp()
where id = any (:ids) and state = 'running';
