-- finds: a mirror that could not restore this domain.
-- Read: `unknown` means no sync has ever filled the manifest; `empty` that it holds other keys but none under dags/; `stale` that nothing under dags/ was synced for two days; `blank` that an entry has no key, checksum or etag to compare with.
with domain as (
  select count(*) as entries, max(a.synced_at) as newest from public.one_drive_assets a where a.object_key ilike 'dags/%'
)
select case when m.entries = 0 then 'unknown' when d.entries = 0 then 'empty' else 'stale' end as finding,
  'one_drive_assets' as object, null::text as task_id,
  format('%s entries, %s under dags/, newest %s', m.entries, d.entries, coalesce(d.newest::text, 'unknown')) as detail
from domain d, (select count(*) as entries from public.one_drive_assets) m
where d.entries = 0 or d.newest < now() - interval '2 days'
union all
select 'blank', a.object_key, null, 'neither checksum nor etag'
from public.one_drive_assets a where a.object_key ilike 'dags/%' and a.checksum is null and a.etag is null
order by 1, 2;
