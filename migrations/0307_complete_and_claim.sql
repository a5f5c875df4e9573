-- The promise of this file: whoever completes a batch gets the next one with the same call. Refuses: what api.complete_steps refuses.

-- Two statements of one function: the claim sees the steps that the completion made ready. They share a transaction, so a
-- claim that fails takes the completion with it; the leases are then still held, and both are asked for again.
create function api.complete_and_claim_steps(p_results jsonb, p_policy_sha256 text, p_worker text, p_limit integer default 10,
  p_agents text[] default null) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_answers jsonb := case when p_results = '[]' then p_results else api.complete_steps(p_results, p_policy_sha256) end;
begin
  return jsonb_build_object('answers', v_answers, 'claimed', api.claim_steps(p_worker, p_limit, p_agents));
end
$$;
comment on function api.complete_and_claim_steps(jsonb, text, text, integer, text[]) is
  'Completes leased steps as api.complete_steps does (answers) and leases the next ready ones as api.claim_steps does (claimed), in one call.';
revoke all on function api.complete_and_claim_steps(jsonb, text, text, integer, text[]) from public;
grant execute on function api.complete_and_claim_steps(jsonb, text, text, integer, text[]) to service_role;
