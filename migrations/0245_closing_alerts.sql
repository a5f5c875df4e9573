-- The promise of this file: an alert is answered by somebody. Taking note of it leaves it open; closing it takes a reason, and
-- the next time it is a new one. Refuses: not_found, invalid_request.

-- What closes by itself, because its cause has gone, has neither.
alter table public.alerts add column closed_by text, add column close_reason text;
alter table public.alerts add constraint closed_by_somebody_with_a_reason
  check ((closed_by is null) = (close_reason is null) and (closed_by is null or closed_at is not null) and length(close_reason) between 1 and 500);
comment on column public.alerts.closed_by is 'Null for an alert that closed by itself when its cause had gone.';

create function api.acknowledge_alert(p_alert uuid, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_alert public.alerts;
begin
  if coalesce(p_actor, '') = '' then
    return private.refuse('invalid_request', p_actor, 'alert.acknowledge', 'alert:' || coalesce(p_alert::text, '?'), null, 'An alert is acknowledged by somebody.');
  end if;
  perform private.act_as(p_actor, 'alert.acknowledge');
  -- The first who takes note stays on record.
  update public.alerts a set acknowledged_by = coalesce(a.acknowledged_by, left(p_actor, 200)), acknowledged_at = coalesce(a.acknowledged_at, private.now())
  where a.alert_id = p_alert and a.closed_at is null returning * into v_alert;
  if v_alert.alert_id is null then
    return private.refuse('not_found', p_actor, 'alert.acknowledge', 'alert:' || coalesce(p_alert::text, '?'), null, 'No alert of this id is open.');
  end if;
  return jsonb_build_object('alert_id', v_alert.alert_id, 'code', v_alert.code, 'subject', v_alert.subject,
    'acknowledged_by', v_alert.acknowledged_by, 'acknowledged_at', private.iso(v_alert.acknowledged_at));
end
$$;
comment on function api.acknowledge_alert(uuid, text) is
  'Somebody has taken note of an open alert; it stays open. Refuses not_found, invalid_request. Administrator only.';
revoke all on function api.acknowledge_alert(uuid, text) from public;
grant execute on function api.acknowledge_alert(uuid, text) to administrator;

create function api.close_alert(p_alert uuid, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_alert public.alerts;
begin
  if coalesce(p_actor, '') = '' or coalesce(length(btrim(p_reason)), 0) not between 1 and 500 then
    return private.refuse('invalid_request', p_actor, 'alert.close', 'alert:' || coalesce(p_alert::text, '?'), null, 'An alert is closed by somebody, with a reason.');
  end if;
  perform private.act_as(p_actor, 'alert.close');
  update public.alerts a set closed_at = private.now(), closed_by = left(p_actor, 200), close_reason = btrim(p_reason)
  where a.alert_id = p_alert and a.closed_at is null returning * into v_alert;
  if v_alert.alert_id is null then
    return private.refuse('not_found', p_actor, 'alert.close', 'alert:' || coalesce(p_alert::text, '?'), null, 'No alert of this id is open.');
  end if;
  return jsonb_build_object('alert_id', v_alert.alert_id, 'code', v_alert.code, 'subject', v_alert.subject,
    'closed_by', v_alert.closed_by, 'closed_at', private.iso(v_alert.closed_at));
end
$$;
comment on function api.close_alert(uuid, text, text) is
  'Closes an open alert in somebody''s name, with a reason; what happens again opens a new one. Refuses not_found, invalid_request. Administrator only.';
revoke all on function api.close_alert(uuid, text, text) from public;
grant execute on function api.close_alert(uuid, text, text) to administrator;
