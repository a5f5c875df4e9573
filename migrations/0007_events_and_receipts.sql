-- The promise of this file: every fact is told once (unique key), every delivery is counted (receipts).

create table public.events (
  event_id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  task_id text references public.tasks (task_id),
  incident_id uuid,
  type text not null,
  payload_json jsonb not null default '{}',
  idempotency_key text not null,
  ts timestamptz not null default private.now(),
  agent text not null,
  schema_version text not null default '1.0',
  tenant_id text not null default 'main',
  constraint event_type_is_known check (type in (
    'TASK_CREATED', 'STEP_READY', 'STEP_DONE', 'NEED_APPROVAL', 'PUBLISH_OK', 'INCIDENT_RAISED',
    'TASK_PLANNED', 'STEP_FAILED', 'EVALUATED', 'APPROVAL_DECIDED', 'EFFECT_RESERVED', 'EFFECT_SENT',
    'EFFECT_CONFIRMED', 'EFFECT_UNKNOWN', 'EFFECT_FAILED', 'TASK_REJECTED', 'TASK_FAILED', 'TASK_ARCHIVED')),
  constraint the_six_first_types_are_version_1_0 check ((type in (
    'TASK_CREATED', 'STEP_READY', 'STEP_DONE', 'NEED_APPROVAL', 'PUBLISH_OK', 'INCIDENT_RAISED')) = (schema_version = '1.0')),
  constraint only_an_incident_has_no_task check (task_id is not null or (type = 'INCIDENT_RAISED' and incident_id is not null))
);
comment on table public.events is 'Facts, in the wire names of schema 1.0 and 1.1; append-only.';
create unique index events_idempotency_key on public.events (idempotency_key);
create index events_by_task on public.events (task_id, seq);

create function private.emit(
  p_type text, p_task_id text, p_agent text, p_key text, p_payload jsonb default '{}', p_tenant text default 'main'
) returns void
language sql volatile set search_path = ''
as $$
  insert into public.events (task_id, type, agent, idempotency_key, payload_json, tenant_id, schema_version)
  values (p_task_id, p_type, p_agent, p_key, p_payload, p_tenant, case when p_type in
    ('TASK_CREATED', 'STEP_READY', 'STEP_DONE', 'NEED_APPROVAL', 'PUBLISH_OK', 'INCIDENT_RAISED') then '1.0' else '1.1' end)
  on conflict (idempotency_key) do nothing
$$;
comment on function private.emit(text, text, text, text, jsonb, text) is 'Tells a fact once; a second telling under the same key changes nothing.';

create view public.event_envelopes with (security_invoker = true) as
  select e.schema_version, e.event_id, e.type as event_type, e.task_id, e.agent,
    to_char(e.ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ts,
    e.payload_json as payload, e.idempotency_key, e.seq
  from public.events e;
comment on view public.event_envelopes is 'Events under their wire names.';
revoke all on public.event_envelopes from public, anon, authenticated, service_role;
grant select on public.event_envelopes to auditor, authenticated;

create table public.event_receipts (
  receipt_id bigint generated always as identity primary key,
  received_at timestamptz not null default private.now(),
  tenant_id text not null default 'main',
  source text not null,
  source_name text not null,
  source_event_id text,
  body_sha256 text not null check (body_sha256 ~ '^[0-9a-f]{64}$'),
  content_type text,
  body text not null check (octet_length(body) <= 65536),
  task_id text references public.tasks (task_id),
  idempotency_key text,
  outcome text not null,
  code text references private.refusal_codes (code),
  reason text,
  constraint receipt_outcome_is_known check (outcome in ('accepted', 'duplicate', 'refused')),
  constraint refused_receipt_has_a_code check ((outcome = 'refused') = (code is not null)),
  constraint kept_receipt_has_a_task check ((outcome <> 'refused') = (task_id is not null))
);
comment on table public.event_receipts is 'Every delivery at the door as it came, without its secrets: accepted, merged or refused.';
create index event_receipts_repeats on public.event_receipts (source, source_name, body_sha256, received_at desc)
  where outcome = 'accepted';
create index event_receipts_by_task on public.event_receipts (task_id) where task_id is not null;
create index event_receipts_by_time on public.event_receipts (received_at);
create index event_receipts_refused on public.event_receipts (code) where code is not null;

select private.close_table('public.events');
select private.close_table('public.event_receipts');
select private.allow_members('public.events', 'owner', 'operator', 'reviewer');
select private.allow_members('public.event_receipts', 'owner', 'operator', 'reviewer');
select private.keep_history('public.events');
select private.keep_history('public.event_receipts');
