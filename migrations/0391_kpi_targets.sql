-- The promise of this file: a figure is held against the target as it was set: under a share or a time is strictly under it, and
-- the time of a task that people decide about is judged without the time that they took. Refuses: nothing.

create or replace view public.kpi_current with (security_invoker = true) as
with windows (window_name, since) as (
  select w.name, now() - w.span from (values ('1 h', interval '1 hour'), ('24 h', interval '24 hours'), ('30 d', interval '30 days')) w(name, span)
), latencies as (
  select w.window_name, t.risk_tier as tier, extract(epoch from t.archived_at - t.created_at) as seconds, extract(epoch from t.archived_at - t.created_at)
    - case when t.risk_tier < 'T2' then 0 else coalesce((select sum(extract(epoch from d.decided_at - d.requested_at)) from (
        select q.requested_at, max(a.ts) as decided_at from public.approval_requests q join public.approvals a using (request_id)
        where q.task_id = t.task_id group by q.request_id) d), 0) end as net_seconds
  from windows w join public.tasks t on t.archived_at >= w.since
), figures (window_name, kpi, subject, value, unit, samples, target, comparison) as (
  select w.window_name, k.kpi, tier.tier, case k.kpi
      when 'latency_p50' then percentile_cont(0.5) within group (order by l.seconds)
      else percentile_cont(0.95) within group (order by l.seconds) end,
    's', count(l.seconds), case when k.kpi = 'latency_p50' and tier.tier in ('T0', 'T1') then 8 end, '<='
  from windows w cross join (values ('T0'), ('T1'), ('T2'), ('T3')) tier(tier) cross join (values ('latency_p50'), ('latency_p95')) k(kpi)
  left join latencies l on l.window_name = w.window_name and l.tier = tier.tier
  group by w.window_name, k.kpi, tier.tier
  union all
  select w.window_name, k.kpi, tier.tier, percentile_cont(case k.kpi when 'latency_net_p50' then 0.5 else 0.95 end) within group (order by l.net_seconds),
    's', count(l.net_seconds), case when k.kpi = 'latency_net_p50' and tier.tier = 'T2' then 45 end, '<='
  from windows w cross join (values ('T2'), ('T3')) tier(tier) cross join (values ('latency_net_p50'), ('latency_net_p95')) k(kpi)
  left join latencies l on l.window_name = w.window_name and l.tier = tier.tier
  group by w.window_name, k.kpi, tier.tier
  union all
  select w.window_name, 'success_rate', 'all', avg(case when t.status = 'archived' then 1.0 else 0.0 end) filter (where t.task_id is not null), 'ratio', count(t.task_id), 0.99, '>='
  from windows w left join public.tasks t on t.ended_at >= w.since and t.status in ('archived', 'failed', 'rolled_back') group by w.window_name
  union all
  select w.window_name, 'duplicate_rate', 'deliveries', avg(case when r.outcome = 'duplicate' then 1.0 else 0.0 end) filter (where r.receipt_id is not null), 'ratio', count(r.receipt_id), null, '<='
  from windows w left join public.event_receipts r on r.received_at >= w.since and r.outcome <> 'refused' group by w.window_name
  union all
  select w.window_name, 'duplicate_execution_rate', 'effects', case when count(e.effect_id) > 0
      then 1 - count(distinct e.idempotency_key)::numeric / count(e.effect_id) end, 'ratio', count(e.effect_id), 0.003, '<'
  from windows w left join public.effects e on e.reserved_at >= w.since group by w.window_name
  union all
  select w.window_name, 'critic_pass', 'all', avg(case when v.verdict = 'pass' then 1.0 else 0.0 end) filter (where v.evaluation_id is not null), 'ratio', count(v.evaluation_id), 0.95, '>='
  from windows w left join public.evaluations v on v.created_at >= w.since and v.step_id is not null group by w.window_name
  union all
  select w.window_name, 'critic_score', 'all', avg(v.score), 'ratio', count(v.evaluation_id), null, '>='
  from windows w left join public.evaluations v on v.created_at >= w.since and v.step_id is not null group by w.window_name
  union all
  select w.window_name, 'approval_wait_mean', tier.tier, avg(extract(epoch from d.decided_at - d.requested_at)), 's', count(d.decided_at),
    case when tier.tier = 'T3' then 300 end, '<'
  from windows w cross join (values ('T2'), ('T3')) tier(tier) left join (
    select q.tier, q.requested_at, max(a.ts) as decided_at from public.approval_requests q join public.approvals a using (request_id)
    where q.status in ('approved', 'consumed', 'rejected') group by q.request_id
  ) d on d.tier = tier.tier and d.decided_at >= w.since group by w.window_name, tier.tier
  union all
  select w.window_name, 'agent_error_rate', g.agent_class, case when sum(s.attempt) > 0 then sum(s.failures)::numeric / sum(s.attempt) end, 'ratio', coalesce(sum(s.attempt), 0), null, '<='
  from windows w cross join public.agents g left join public.task_steps s on s.agent_class = g.agent_class and s.started_at >= w.since
  group by w.window_name, g.agent_class
  union all
  -- No model is asked unless one is configured; its calls do not report tokens yet.
  select w.window_name, 'token_usage', 'all', null, 'tokens', 0, null, '<=' from windows w
)
select f.window_name as "window", f.kpi, f.subject, round(f.value::numeric, 6) as value, f.unit, f.samples, f.target,
  case when f.samples = 0 or f.value is null then 'unknown' when f.target is null then 'no_target'
    when (f.comparison = '<' and f.value < f.target) or (f.comparison = '<=' and f.value <= f.target) or (f.comparison = '>=' and f.value >= f.target) then 'met' else 'missed' end as status,
  now() as observed_at
from figures f;
comment on view public.kpi_current is 'Latency (net is without the time that people took to answer), success, duplicates, critic and approval figures over 1 h, 24 h and 30 d; unknown where there is no sample. success_rate is archived / (archived + failed, undone since or not): a rejected or cancelled task was a decision, no failure, and is not counted.';
