-- The promise of this file: what governance refuses has a name, what it changes has an edge, and what it finds wrong
-- is an alert that somebody has to close.

insert into private.refusal_codes (code, sqlstate) values
  ('policy_not_approved', null), ('second_factor_required', null), ('second_factor_wrong', null), ('second_factor_locked', null),
  ('signature_missing', null), ('signature_mismatch', null), ('stopped', null), ('replanning', null), ('dry_run_missing', null),
  ('quote_stale', null), ('price_moved', null), ('limit_exceeded', null), ('unknown_account', null), ('account_suspended', null),
  ('incomplete_bracket', null), ('position_missing', null), ('kyc_incomplete', null), ('cool_down', null), ('payment_unverified', null),
  ('payment_replayed', null), ('unknown_order', null), ('order_expired', null), ('wrong_amount', null), ('unknown_confirmation', null),
  ('confirmation_expired', null), ('break_glass_invalid', null), ('url_denied', null), ('no_channel', null);

insert into private.transitions (subject, from_status, to_status, why) values
  ('task', 'pending_exec', 'running', 'the effect was switched on, or its work is done anew'),
  ('step', 'done', 'pending', 'its work is done anew'),
  ('step', 'done', 'ready', 'its work is done anew'),
  ('step', 'ready', 'pending', 'the work before it is done anew'),
  ('step', 'awaiting_approval', 'pending', 'the work before it is done anew');

-- A constraint is only ever widened: the old one and the new one change places in one statement.
alter table public.effects drop constraint effect_kind_is_known, add constraint effect_kind_is_known
  check (kind in ('publish', 'record', 'trade', 'access', 'policy_change'));
alter table public.effects drop constraint effect_channel_is_known, add constraint effect_channel_is_known
  check (channel in ('telegram', 'console', 'internal', 'paper', 'http-bridge'));
alter table public.effects drop constraint a_record_stays_in_the_house, add constraint a_record_stays_in_the_house
  check ((kind in ('record', 'policy_change')) = (channel = 'internal') and (kind = 'trade') = (channel in ('paper', 'http-bridge')));
alter table public.notifications drop constraint notification_kind_is_known, add constraint notification_kind_is_known
  check (kind in ('approval_card', 'card_result', 'reply', 'announcement', 'deletion', 'join_approval', 'join_refusal', 'removal'));

create table public.alerts (
  alert_id uuid primary key default gen_random_uuid(),
  code text not null check (code ~ '^[a-z][a-z0-9_]*$'),
  severity text not null,
  subject text not null check (length(subject) between 1 and 200),
  value text,
  threshold text,
  task_id text references public.tasks (task_id),
  opened_at timestamptz not null default private.now(),
  seen integer not null default 1 check (seen > 0),
  last_seen_at timestamptz not null default private.now(),
  acknowledged_by text,
  acknowledged_at timestamptz,
  closed_at timestamptz,
  constraint alert_severity_is_known check (severity in ('info', 'warning', 'critical')),
  constraint acknowledged_by_somebody check ((acknowledged_by is null) = (acknowledged_at is null))
);
comment on table public.alerts is 'What a person must look at: one open row per code and subject, however often it is seen.';
create unique index alerts_one_open on public.alerts (code, subject) where closed_at is null;
create index alerts_by_task on public.alerts (task_id) where task_id is not null;

create function private.raise_alert(p_code text, p_severity text, p_subject text, p_value text, p_threshold text, p_task_id text)
returns void
language plpgsql set search_path = ''
as $$
declare
  v_before timestamptz;
  v_new boolean;
begin
  select a.last_seen_at into v_before from public.alerts a where a.code = p_code and a.subject = left(p_subject, 200) and a.closed_at is null for update;
  insert into public.alerts as a (code, severity, subject, value, threshold, task_id)
  values (p_code, p_severity, left(p_subject, 200), left(p_value, 200), left(p_threshold, 200), p_task_id)
  on conflict (code, subject) where closed_at is null
    do update set seen = a.seen + 1, last_seen_at = private.now(), value = excluded.value, threshold = excluded.threshold
  returning a.seen = 1 into v_new;
  -- A limit that a stubborn worker meets every second must not ring every second; what comes back after an hour of quiet is news.
  if p_severity <> 'info' and (v_new or v_before < private.now() - interval '1 hour') then
    perform private.announce(jsonb_build_object('topic', 'alert', 'code', p_code, 'severity', p_severity, 'subject', p_subject,
      'value', p_value, 'threshold', p_threshold, 'task_id', p_task_id), array['owner', 'operator'], p_task_id);
  end if;
end
$$;
comment on function private.raise_alert(text, text, text, text, text, text) is
  'Opens an alert, or counts it once more while it is open; unless it is info it is announced when it opens, and again when it was not seen for an hour.';

select private.close_table('public.alerts');
select private.allow_members('public.alerts', 'owner', 'operator', 'reviewer');
select private.audit('public.alerts', 'alert', 'alert_id');
