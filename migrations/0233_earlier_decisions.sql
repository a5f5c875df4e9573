-- The promise of this file: what was decided before decisions were kept is kept as well, from the rows that say so. What
-- those rows no longer say is not made up: such a decision is not reproduced, and the replay names it.
-- Refuses: nothing.

create function private.tier_by(p_body jsonb, p_action text) returns text
language sql immutable set search_path = ''
as $$
  select greatest((select max(t.key) from jsonb_each(p_body -> 'risk_tiers') t where t.value ? p_action),
    p_body #>> array['platform_actions', p_action, 'tier'])
$$;

create function private.remember_earlier_decisions() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  insert into public.policy_decisions (decided_at, gate, task_id, policy_sha256, inputs, outcome)
  with earlier as (
    select t.*, p.body, nullif(t.risk_tier, private.tier_by(p.body, t.action)) as floor
    from public.tasks t join public.policies p on p.policy_sha256 = t.policy_sha256
    where not exists (select 1 from public.policy_decisions d where d.task_id = t.task_id)
  ), requests as (
    select r.*, p.body as asked_by, nullif(r.tier, private.tier_by(p.body, r.action)) as floor, p.policy_sha256
    from public.approval_requests r join public.policies p on p.policy_sha256 = r.bound_to ->> 'policy'
    where r.task_id in (select t.task_id from earlier t)
  ), marks as (
    select e.*, jsonb_build_object('total', e.total::text, 'score', e.score::text, 'flagged', e.red_flags <> '{}',
      'doubted', e.verdict = 'fail' and e.red_flags = '{}' and e.score >= e.threshold
        and e.total >= (t.body #>> '{rubric,pass_total}')::numeric) as given
    from public.evaluations e join earlier t using (task_id) where e.step_id is not null
  ), decided as (
    select t.created_at as at, 1 as place, 'plan' as gate, t.task_id, t.policy_sha256,
      jsonb_build_object('source', t.source, 'action', t.action, 'floor', t.floor) as inputs, jsonb_build_object('tier', t.risk_tier) as outcome
    from earlier t
    union all
    select m.created_at, 2, 'evaluate', t.task_id, t.policy_sha256, m.given || jsonb_build_object('action', t.action, 'floor', t.floor),
      jsonb_build_object('tier', t.risk_tier, 'threshold', m.threshold::text, 'verdict', m.verdict)
    from marks m join earlier t using (task_id)
    union all
    select r.requested_at, 3, 'ask', r.task_id, r.policy_sha256, jsonb_build_object('action', r.action, 'floor', r.floor),
      jsonb_build_object('tier', r.tier, 'slots', to_jsonb(r.required_slots), 'limits', '{}'::jsonb,
        'dry_run', coalesce((private.rule_of(r.asked_by, r.tier)).dry_run, false))
    from requests r
    union all
    select a.ts, 4, 'decide', r.task_id, coalesce(a.metadata ->> 'policy_sha256', r.policy_sha256),
      jsonb_build_object('action', r.action, 'role', a.role, 'slots', to_jsonb(r.required_slots)), '{"counts": true}'
    from public.approvals a join requests r using (request_id)
    union all
    select coalesce(r.closed_at, r.requested_at), 5, 'fill', r.task_id, r.policy_sha256, jsonb_build_object('action', r.action, 'floor', r.floor,
        'yes', (select coalesce(jsonb_agg(jsonb_build_object('person', a.person_id, 'role', a.role) order by a.ts), '[]')
          from public.approvals a where a.request_id = r.request_id and a.decision = 'approve')),
      jsonb_build_object('filled', r.status <> 'expired')
    from requests r where r.status in ('approved', 'consumed')
      or (r.status = 'expired' and not exists (select 1 from public.approvals a where a.request_id = r.request_id))
    union all
    select e.reserved_at, 6, 'reserve', t.task_id, coalesce(r.policy_sha256, t.policy_sha256), (select m.given from marks m
        where m.task_id = t.task_id and m.created_at <= e.reserved_at order by m.seq desc limit 1)
      || jsonb_build_object('action', t.action, 'floor', coalesce(r.floor, t.floor), 'dry_run', false, 'exceeded', '[]'::jsonb,
        'yes', (select coalesce(jsonb_agg(jsonb_build_object('person', a.person_id, 'role', a.role) order by a.ts), '[]')
          from public.approvals a where a.request_id = e.request_id and a.decision = 'approve')),
      '{"allowed": true}'
    from public.effects e join earlier t using (task_id) left join requests r on r.request_id = e.request_id
  )
  select d.at, d.gate, d.task_id, d.policy_sha256, jsonb_strip_nulls(coalesce(d.inputs, '{}')), d.outcome
  from decided d order by d.at, d.place, d.task_id;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function private.remember_earlier_decisions() is 'Decisions of tasks from before policy_decisions, from their rows. Tasks that have any there are left alone.';

select private.remember_earlier_decisions();
