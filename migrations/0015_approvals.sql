-- The promise of this file: an approval names the exact bytes it approves and the person who gave it;
-- nobody approves what they asked for, and no answer counts as no.

create table public.approval_requests (
  request_id uuid primary key default gen_random_uuid(),
  code text not null unique check (code ~ '^T[0-3]-[0-9]{8}-[0-9]{4,}$'),
  status text not null default 'open',
  tenant_id text not null default 'main',
  kind text not null default 'task_step',
  subject_id text not null,
  task_id text not null references public.tasks (task_id),
  step_id uuid not null references public.task_steps (step_id),
  tier text not null,
  action text not null,
  required_slots text[] not null check (cardinality(required_slots) > 0),
  nonce text not null unique default replace(gen_random_uuid()::text, '-', ''),
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  bound_to jsonb not null,
  requested_at timestamptz not null default private.now(),
  expires_at timestamptz not null,
  closed_at timestamptz,
  constraint request_status_is_known check (status in ('open', 'approved', 'rejected', 'expired', 'superseded', 'consumed')),
  constraint request_kind_is_known check (kind in ('task_step', 'write_intent', 'builder_claim', 'role_request', 'security_review')),
  constraint closed_exactly_when_stamped check ((status = 'open') = (closed_at is null))
);
comment on table public.approval_requests is 'What people are asked, bound by digest to what they see; bound_to is the digest''s input.';
create unique index approval_requests_one_open on public.approval_requests (step_id) where status in ('open', 'approved');
create index approval_requests_by_task on public.approval_requests (task_id);
create index approval_requests_by_step on public.approval_requests (step_id);
create index approval_requests_due on public.approval_requests (expires_at) where status in ('open', 'approved');

alter table public.notifications add constraint notification_of_a_request
  foreign key (request_id) references public.approval_requests (request_id);

create table public.approvals (
  approval_id uuid primary key default gen_random_uuid(),
  task_id text not null references public.tasks (task_id),
  step_id uuid not null references public.task_steps (step_id),
  tier text not null,
  approver text not null,
  decision text not null,
  reason text check (length(reason) <= 500),
  ts timestamptz not null default private.now(),
  metadata jsonb not null default '{}',
  request_id uuid not null references public.approval_requests (request_id),
  member_id uuid not null references public.members (member_id),
  person_id uuid not null,
  role text not null,
  digest text not null,
  constraint decision_is_approve_or_reject check (decision in ('approve', 'reject')),
  -- One yes and one no: a yes may be taken back, a no may not.
  constraint one_decision_of_a_kind_per_person_and_request unique (request_id, person_id, decision)
);
comment on table public.approvals is 'Decisions, append-only: who, in which role, when, and the digest of what they saw.';
create index approvals_by_task on public.approvals (task_id);
create index approvals_by_step on public.approvals (step_id);
create index approvals_by_member on public.approvals (member_id);

-- What a request is bound to, from the rows as they are now. Checksums are taken from the content, not from
-- the checksum column: whoever swaps bytes may swap that too.
create function private.bound_to(p_task_id text, p_step_id uuid, p_expires_at timestamptz) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('tenant', t.tenant_id, 'task', t.task_id, 'step', p_step_id::text, 'action', t.action, 'tier', t.risk_tier,
    'artifacts', coalesce((select jsonb_agg(jsonb_build_object('type', a.type, 'sha256', private.sha256_hex(a.content)) order by a.type collate "C", a.artifact_id)
      from public.artifacts a where a.step_id = (select o.step_id from public.artifacts o where o.artifact_id = e.artifact_id)), '[]'),
    'rubric', e.rubric_sha256, 'score', e.score::text, 'critic', e.critic, 'policy', private.active_policy_sha256(),
    'roles', to_jsonb((private.approval_rule(t.risk_tier)).slots), 'expires_at', private.iso(p_expires_at))
  from public.tasks t, private.gating_evaluation(t.task_id) e
  where t.task_id = p_task_id
$$;
comment on function private.bound_to(text, uuid, timestamptz) is
  'The input of an approval digest: tenant, task, step, action, tier, artifacts, rubric, score, critic, policy, roles, expiry.';

-- The slots that distinct persons fill, tried person by person; each yes counts once, and not after its person's no.
create function private.slots_filled(p_request_id uuid) returns boolean
language sql stable set search_path = ''
as $$
  with recursive request as (
    select r.required_slots from public.approval_requests r where r.request_id = p_request_id
  ), yes as (
    -- An approver who was removed or demoted since does not count; two accounts that belong to one person now are one.
    select m.person_id, a.role from public.approvals a
    join public.members m on m.member_id = a.member_id and m.status = 'active' and m.role = a.role
    where a.request_id = p_request_id and a.decision = 'approve'
      and not exists (select 1 from public.approvals n join public.members o using (member_id)
        where n.request_id = a.request_id and n.decision = 'reject' and m.person_id in (n.person_id, o.person_id))
  ), filled (slot, persons) as (
    select 0, '{}'::uuid[]
    union all
    select f.slot + 1, f.persons || y.person_id
    from filled f, request r, yes y
    where f.slot < cardinality(r.required_slots) and y.person_id <> all (f.persons)
      and y.role = any (private.slot_roles(r.required_slots[f.slot + 1]))
  )
  select exists (select 1 from filled f, request r where f.slot = cardinality(r.required_slots))
$$;
comment on function private.slots_filled(uuid) is 'Whether distinct, still entitled persons fill every slot of a request.';

create function private.card(p_request public.approval_requests) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('code', p_request.code, 'nonce', p_request.nonce, 'tier', p_request.tier, 'action', p_request.action,
    'task_id', t.task_id, 'goal', t.goal, 'requested_by', t.actor, 'score', e.score::text, 'threshold', e.threshold::text,
    'critic', e.critic, 'red_flags', to_jsonb(e.red_flags), 'required_roles', to_jsonb(p_request.required_slots),
    'expires_at', private.iso(p_request.expires_at), 'digest', p_request.digest,
    'artifact', jsonb_build_object('type', a.type, 'content', a.content, 'checksum', a.checksum),
    'post', (select p.content from public.artifacts p where p.step_id = a.step_id and p.type = 'post'
      order by p.created_at desc limit 1),
    'decided', coalesce((select jsonb_agg(jsonb_build_object('approver', d.approver, 'role', d.role, 'decision', d.decision,
      'reason', d.reason, 'ts', private.iso(d.ts)) order by d.ts) from public.approvals d where d.request_id = p_request.request_id), '[]'))
  from public.tasks t, private.gating_evaluation(t.task_id) e
  join public.artifacts a on a.artifact_id = e.artifact_id
  where t.task_id = p_request.task_id
$$;

-- Whether bytes of the evaluated step are no longer those that were stored, or the evaluated ones not those evaluated.
create function private.artifacts_altered(p_evaluation public.evaluations) returns boolean
language sql stable set search_path = ''
as $$
  select not exists (select 1 from public.artifacts a where a.artifact_id = p_evaluation.artifact_id
      and private.sha256_hex(a.content) = p_evaluation.artifact_checksum)
    or exists (select 1 from public.artifacts a join public.artifacts e on e.artifact_id = p_evaluation.artifact_id and e.step_id = a.step_id
      where private.sha256_hex(a.content) <> a.checksum)
$$;

-- One card to every account that may decide a request, or to p_member_id's alone: not to the person who asked, and
-- not where the card of this request is or was already. Returns how many were queued.
create function private.send_cards(p_request public.approval_requests, p_member_id uuid default null) returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  insert into public.notifications (kind, recipient, payload_json, task_id, request_id)
  select 'approval_card', m.telegram_user_id, private.card(p_request), t.task_id, p_request.request_id
  from public.tasks t join public.members m on m.member_id = coalesce(p_member_id, m.member_id)
  where t.task_id = p_request.task_id and m.status = 'active' and m.telegram_user_id is not null
    and m.person_id is distinct from t.requester_person_id and m.person_id is distinct from private.person_of(t.actor)
    and exists (select 1 from unnest(p_request.required_slots) s where m.role = any (private.slot_roles(s)))
    and not exists (select 1 from public.notifications n where n.request_id = p_request.request_id and n.kind = 'approval_card'
      and n.recipient = m.telegram_user_id and n.status in ('queued', 'sending', 'sent'));
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function private.send_cards(public.approval_requests, uuid) is 'Queues the card of a request for those who may decide it and do not have it.';

-- Whoever may decide from now on is asked what is open now.
create function private.ask_member(p_member_id uuid) returns void
language plpgsql set search_path = ''
as $$
declare
  v_request public.approval_requests;
begin
  -- A request that is being decided right now is waited for: nobody gets the card of one that has just closed.
  for v_request in
    select r.* from public.approval_requests r where r.status = 'open' and r.expires_at > private.now()
    order by r.request_id for share
  loop
    perform private.send_cards(v_request, p_member_id);
  end loop;
end
$$;
comment on function private.ask_member(uuid) is 'Sends a new member the cards of all open requests that their role may decide.';

create function private.open_request(p_step_id uuid) returns void
language plpgsql set search_path = ''
as $$
declare
  v_step public.task_steps;
  v_task public.tasks;
  v_rule private.approval_rule;
  v_expires timestamptz;
  v_bound jsonb;
  v_request public.approval_requests;
  v_evaluation public.evaluations;
begin
  select s.* into v_step from public.task_steps s where s.step_id = p_step_id for no key update;
  select t.* into v_task from public.tasks t where t.task_id = v_step.task_id for no key update;
  if private.effective_tier(v_task) > v_task.risk_tier then
    update public.tasks t set risk_tier = private.effective_tier(v_task) where t.task_id = v_task.task_id returning * into v_task;
  end if;
  v_rule := private.approval_rule(v_task.risk_tier);
  v_evaluation := private.gating_evaluation(v_task.task_id);
  v_expires := v_task.created_at + make_interval(mins => private.policy_number(
    private.policy_number(24, 'windows', 'request_hours') * 60, 'flows', v_task.flow, 'expires_minutes')::integer);
  -- People are asked only about what the critic passed, by the rule of now, and whose bytes are still those it read.
  if v_rule is null or v_evaluation.verdict is distinct from 'pass' or v_evaluation.score < v_rule.min_score
    or private.artifacts_altered(v_evaluation) then
    perform private.end_task(v_task.task_id, 'rejected', case when v_rule is null then 'policy_invalid'
      when v_evaluation.evaluation_id is null then 'evaluation_missing'
      when v_evaluation.verdict <> 'pass' or v_evaluation.score < v_rule.min_score then 'critic_rejected' else 'digest_drift' end);
    return;
  end if;
  if v_rule.slots = '{}' then
    -- Planned under a policy that asked somebody; the active one asks nobody.
    update public.task_steps s set status = case s.status when 'ready' then 'skipped' else 'done' end, ended_at = private.now()
    where s.step_id = p_step_id and s.status in ('ready', 'awaiting_approval');
    update public.tasks t set status = 'running' where t.task_id = v_task.task_id and t.status = 'awaiting_approval';
    perform private.advance(array[p_step_id]);
    return;
  end if;
  -- The clock of a signal starts at the alert: an hour-old entry is not worth a person's minute.
  if v_expires <= private.now() then
    perform private.end_task(v_task.task_id, 'rejected', 'request_expired');
    return;
  end if;
  v_bound := private.bound_to(v_task.task_id, p_step_id, v_expires);
  insert into public.approval_requests (code, subject_id, task_id, step_id, tier, action, required_slots, digest, bound_to, expires_at)
  values (private.dated_id(v_task.risk_tier, '', 'request', 'private.request_numbers', private.now()), v_task.task_id, v_task.task_id,
    p_step_id, v_task.risk_tier, v_task.action, v_rule.slots, private.digest_json(v_bound), v_bound, v_expires)
  returning * into v_request;
  update public.task_steps s set status = 'awaiting_approval', started_at = coalesce(s.started_at, private.now()), ended_at = null
  where s.step_id = p_step_id and s.status <> 'awaiting_approval';
  update public.tasks t set status = 'awaiting_approval' where t.task_id = v_task.task_id and t.status <> 'awaiting_approval';
  perform private.emit('NEED_APPROVAL', v_task.task_id, 'orchestrator', v_task.task_id || ':' || v_step.node_id || ':' || v_request.code,
    jsonb_build_object('code', v_request.code, 'tier', v_request.tier, 'digest', v_request.digest, 'expires_at', private.iso(v_expires)));

  if private.send_cards(v_request) = 0 then
    perform private.announce(jsonb_build_object('topic', 'no_approver', 'code', v_request.code, 'task_id', v_task.task_id,
      'tier', v_request.tier, 'required_roles', to_jsonb(v_rule.slots)), array['owner'], v_task.task_id);
  end if;
end
$$;
comment on function private.open_request(uuid) is 'Asks the members who may decide; also anew for a step whose earlier request was superseded.';

create function private.close_requests(p_task_id text, p_status text) returns void
language plpgsql set search_path = ''
as $$
declare
  v_request public.approval_requests;
begin
  for v_request in
    update public.approval_requests r set status = p_status, closed_at = private.now()
    where r.task_id = p_task_id and (r.status = 'open' or (r.status = 'approved' and p_status <> 'rejected')) returning r.*
  loop
    perform private.show_result(v_request);
  end loop;
end
$$;

-- Every card that was sent is edited to what the database says now; one not yet sent is dropped.
create function private.show_result(p_request public.approval_requests) returns void
language plpgsql set search_path = ''
as $$
begin
  if p_request.status <> 'open' then
    update public.notifications n set status = 'failed', last_error = 'the request closed first'
    where n.request_id = p_request.request_id and n.kind = 'approval_card' and n.status = 'queued';
  end if;
  -- Edits may arrive late, but not out of order.
  update public.notifications n set status = 'failed', last_error = 'a newer edit follows'
  where n.request_id = p_request.request_id and n.kind = 'card_result' and n.status = 'queued';
  insert into public.notifications (kind, recipient, payload_json, task_id, request_id, edit_message_id)
  select 'card_result', n.recipient, private.card(p_request) || jsonb_build_object('status', p_request.status), p_request.task_id,
    p_request.request_id, n.message_id
  from public.notifications n
  where n.request_id = p_request.request_id and n.kind = 'approval_card' and n.status = 'sent' and n.message_id is not null;
end
$$;

-- For notifications that have just been completed: a card that was on its way while its request changed is edited now,
-- one that would be tried again after its request closed is dropped, and so is an edit that a newer one overtook.
create function private.catch_up_cards(p_notifications uuid[]) returns void
language plpgsql set search_path = ''
as $$
begin
  insert into public.notifications (kind, recipient, payload_json, task_id, request_id, edit_message_id)
  select 'card_result', n.recipient, private.card(q) || jsonb_build_object('status', q.status), q.task_id, q.request_id, n.message_id
  from public.notifications n join public.approval_requests q using (request_id)
  where n.notification_id = any (p_notifications) and n.kind = 'approval_card' and n.status = 'sent' and n.message_id is not null
    and (q.status <> 'open' or exists (select 1 from public.approvals a where a.request_id = q.request_id and a.ts >= n.created_at));
  update public.notifications n set status = 'failed', last_error = coalesce(n.last_error || '; ', '') || 'overtaken'
  where n.notification_id = any (p_notifications) and n.status = 'queued' and (
    (n.kind = 'approval_card' and exists (select 1 from public.approval_requests q where q.request_id = n.request_id and q.status <> 'open'))
    or (n.kind = 'card_result' and exists (select 1 from public.notifications o where o.request_id = n.request_id and o.kind = 'card_result'
      and o.recipient = n.recipient and o.seq > n.seq)));
end
$$;

select private.close_table('public.approval_requests');
select private.close_table('public.approvals');
select private.allow_members('public.approval_requests', 'owner', 'operator', 'reviewer');
select private.allow_members('public.approvals', 'owner', 'operator', 'reviewer');
select private.guard_status('public.approval_requests', 'request', 'request_id');
select private.keep_history('public.approvals');
select private.freeze_with_task('public.approval_requests');
select private.freeze_with_task('public.approvals');
select private.audit('public.approval_requests', 'request', 'request_id');
select private.audit('public.approvals', 'approval', 'approval_id');
