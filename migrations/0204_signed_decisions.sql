-- The promise of this file: the door signs each decision over what the database told it, the database takes no other, and the
-- keys that signed stay on record, so that anybody can check later. A message that held a code is taken away.
-- Refuses: invalid_request. What private.signature_problem finds, private.decide refuses: signature_missing, signature_mismatch.

create table public.signing_keys (
  key_id text primary key check (key_id ~ '^[0-9a-f]{16}$'),
  public_key text not null check (public_key ~ '^[A-Za-z0-9+/]{43}=$'),
  first_seen_at timestamptz not null default private.now(),
  constraint key_id_is_the_hash_of_its_key check (key_id = left(encode(sha256(decode(public_key, 'base64')), 'hex'), 16))
);
comment on table public.signing_keys is
  'Every public key that ever signed a decision, append-only: after a rotation the old key still verifies the old rows.';

create function api.report_signing_key(p_public_key text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_key_id text;
begin
  if coalesce(p_public_key, '') !~ '^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$' then
    return private.refuse('invalid_request', 'telegram-webhook', 'signing_key.report', 'signing-key', null, 'A public key is 32 bytes in base64.');
  end if;
  v_key_id := left(encode(sha256(decode(p_public_key, 'base64')), 'hex'), 16);
  perform private.act_as('telegram-webhook', 'signing_key.report');
  insert into public.signing_keys (key_id, public_key) values (v_key_id, p_public_key) on conflict do nothing;
  if found and exists (select 1 from public.signing_keys k where k.key_id <> v_key_id) then
    -- Whoever can make the database known to a key of theirs can sign from then on: owners compare it with the one they set.
    perform private.announce(jsonb_build_object('topic', 'signing_key_added', 'name', v_key_id), array['owner']);
  end if;
  return jsonb_build_object('key_id', v_key_id);
end
$$;
comment on function api.report_signing_key(text) is
  'Puts the public key of the door on record; every owner is told of a new one. Refuses invalid_request.';
revoke all on function api.report_signing_key(text) from public;
grant execute on function api.report_signing_key(text) to service_role;

-- Null when what was signed is what would be decided now. The signature itself is verified outside, by whoever audits:
-- here stands that it covers these very fields, by a key on record, made within half a minute.
create function private.signature_problem(p_signed jsonb, p_request public.approval_requests, p_member public.members, p_decision text)
returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_signed_at timestamptz;
begin
  if jsonb_typeof(p_signed) is distinct from 'object' or jsonb_typeof(p_signed -> 'signature') is distinct from 'string' then
    return 'signature_missing';
  end if;
  if p_signed - 'signed_at' - 'signature' is distinct from jsonb_build_object('code', p_request.code, 'decision', p_decision,
      'person', p_member.person_id, 'role', p_member.role, 'digest', p_request.digest, 'key_id', p_signed -> 'key_id')
    -- 64 bytes have one spelling in base64.
    or p_signed ->> 'signature' !~ '^[A-Za-z0-9+/]{85}[AQgw]==$'
    or not exists (select 1 from public.signing_keys k where k.key_id = p_signed ->> 'key_id')
    or coalesce(p_signed ->> 'signed_at', '') !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$' then
    return 'signature_mismatch';
  end if;
  begin
    v_signed_at := (p_signed ->> 'signed_at')::timestamptz;
  exception when datetime_field_overflow then
    return 'signature_mismatch';
  end;
  return case when abs(extract(epoch from private.now() - v_signed_at)) > 30 then 'signature_mismatch' end;
end
$$;
comment on function private.signature_problem(jsonb, public.approval_requests, public.members, text) is
  'Null, signature_missing or signature_mismatch: whether a signed decision names what the database itself would write.';

-- What the door needs before it signs: read-only, and the same request that private.decide will find.
create function api.prepare_decision(p_update jsonb) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_intent jsonb := p_update -> 'intent';
  v_type text := p_update #>> '{intent,type}';
  v_member public.members;
  v_request public.approval_requests;
begin
  -- In a private chat the chat is the person; for nobody else is anything prepared.
  select m.* into v_member from public.members m
  where m.telegram_user_id = p_update ->> 'from_id' and m.telegram_user_id = p_update ->> 'chat_id' and m.status = 'active';
  if v_type in ('approve', 'button') and v_member.member_id is not null then
    select r.* into v_request from public.approval_requests r
    where r.nonce = v_intent ->> 'nonce' or r.code = v_intent ->> 'code'
      or (r.task_id = v_intent ->> 'code' and r.status in ('open', 'approved', 'consumed', 'rejected', 'expired'))
    order by r.requested_at desc, r.code desc limit 1;
  end if;
  return jsonb_build_object(
    'subject', case when v_request.request_id is not null then jsonb_build_object('code', v_request.code, 'person_id', v_member.person_id,
      'role', v_member.role, 'digest', v_request.digest, 'tier', v_request.tier) end,
    'second_factor', (select jsonb_build_object('member_id', f.member_id, 'ciphertext', f.ciphertext) from private.second_factors f
      where f.member_id = v_member.member_id and f.ciphertext is not null),
    'required', coalesce(case
      when v_intent ->> 'decision' = 'reject' or v_intent ->> 'state' = 'off' then false
      when v_type in ('approve', 'button') then v_request.request_id is not null and private.second_factor_demanded(v_request.tier)
      when v_type in ('confirm', 't3') then private.second_factor_demanded('T3') end, false),
    'signing_keys', coalesce((select jsonb_agg(k.key_id order by k.first_seen_at) from public.signing_keys k), '[]'));
end
$$;
comment on function api.prepare_decision(jsonb) is
  'What the door signs (subject), the sender''s sealed seed, whether a code is required, and the signing keys on record. Changes nothing.';
revoke all on function api.prepare_decision(jsonb) from public;
grant execute on function api.prepare_decision(jsonb) to service_role;

-- A code that was used is worth nothing, one that was mistyped may still be: either way it does not stay in the chat.
create function private.forget_code(p_update jsonb) returns void
language plpgsql set search_path = ''
as $$
declare
  v_message text := p_update #>> '{receipt,message_id}';
begin
  if p_update ->> 'holds_code' = 'true' and p_update ->> 'channel' = 'telegram' and p_update ->> 'chat_id' = p_update ->> 'from_id'
    and v_message ~ '^[1-9][0-9]{0,15}$'
    and exists (select 1 from public.members m where m.telegram_user_id = p_update ->> 'from_id' and m.status = 'active') then
    perform private.notify('deletion', p_update ->> 'chat_id', jsonb_build_object('message_id', v_message));
  end if;
end
$$;
comment on function private.forget_code(jsonb) is 'Queues the deletion of a message that held a code.';

-- The body of both doors, and what a person is told beyond the refusal: a button has no room for a code.
create function private.answer_update(p_update jsonb, p_signed jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  -- The code itself has no business here; a door that lets one through by mistake must not have it stored.
  v_answer jsonb := private.take_update(p_update #- '{intent,otp}', p_signed);
begin
  if v_answer ->> 'outcome' is distinct from 'recorded' then
    return v_answer;
  end if;
  perform private.forget_code(p_update);
  if v_answer ->> 'refused' = 'second_factor_required' and p_update #>> '{intent,type}' = 'button' then
    v_answer := v_answer - 'callback_answer' || jsonb_build_object('reply', 'second_factor', 'enrolled', exists (
      select 1 from private.second_factors f join public.members m using (member_id)
      where m.telegram_user_id = p_update ->> 'from_id' and m.status = 'active' and f.ciphertext is not null));
    perform private.notify('reply', p_update ->> 'from_id', v_answer, v_answer ->> 'task_id');
    v_answer := v_answer || jsonb_build_object('callback_answer', v_answer);
  end if;
  return v_answer;
end
$$;
comment on function private.answer_update(jsonb, jsonb) is
  'Takes one update, removes the message that held a code, and tells whoever tapped how to give one.';

create function api.decide(p_update jsonb, p_signed jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  if coalesce(p_update #>> '{intent,type}', '') not in ('approve', 'button') then
    return private.refuse('invalid_request', 'telegram:' || coalesce(p_update ->> 'from_id', '?'), 'approval.decide', 'update', null,
      'Only a decision is decided.') || jsonb_build_object('outcome', 'refused');
  end if;
  return private.answer_update(p_update, p_signed);
end
$$;
comment on function api.decide(jsonb, jsonb) is
  'Records one update that is a decision, with the door''s signature over it, and decides, once. Refuses what handle_update refuses, signature_missing, signature_mismatch, second_factor_required, second_factor_wrong, second_factor_locked and every refusal of a decision.';
revoke all on function api.decide(jsonb, jsonb) from public;
grant execute on function api.decide(jsonb, jsonb) to service_role;

select private.close_table('public.signing_keys');
select private.allow_members('public.signing_keys', 'owner', 'operator', 'reviewer');
select private.keep_history('public.signing_keys');
select private.audit('public.signing_keys', 'signing-key', 'key_id');
