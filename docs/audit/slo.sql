-- lists: the current figures against their targets (last hour, day and 30 days), missed ones first.
-- Read: `missed` needs a remediation plan; `unknown` means no sample in that window and is never good news; `no_target` is for information. success_rate is archived / (archived + failed): what people, the critic or the clock turned down was a decision and is not counted.
select k.* from public.kpi_current k
order by case k.status when 'missed' then 0 when 'unknown' then 1 when 'met' then 2 else 3 end, k.kpi, k.subject, k."window";
