-- The promise of this file: a batch of results is one set. As many as hold their lease are completed by one statement for each
-- agent, what waits for them becomes ready by one more; whatever is refused is refused by itself, as before.
-- Refuses: stale_lease, invalid_request, evaluation_missing, author_is_critic, score_out_of_range.

-- Every plan of this file goes from row to row by its key, whatever the statistics say: a plan made while the tables were small
-- walks them when they are large, and a plan made for the values at hand is made again for the next.

-- Stores what steps produced and ends them; returns those that were ended. Under a fence (attempts and tokens) a step that lost
-- its lease is left as it is. The first artifact is the step's output; a post is the exact text that would be published.
create function private.store_results(p_steps uuid[], p_attempts integer[], p_tokens uuid[], p_results jsonb[]) returns uuid[]
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set jit = off
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_nestloop = on
as $$
declare
  v_now timestamptz := private.now();
  v_done uuid[];
begin
  with given as materialized (
    select g.*, case when jsonb_typeof(g.result -> 'artifact') = 'object' then gen_random_uuid() end as artifact_id
    from unnest(p_steps, p_attempts, p_tokens, p_results) as g(step_id, attempt, lease_token, result)
  ), done as (
    update public.task_steps s set status = 'done', ended_at = v_now, output_json = g.result -> 'output',
      output_ref = case when g.artifact_id is not null then format('supa://artifacts/%s/%s.%s', g.artifact_id, g.result #>> '{artifact,type}',
        case g.result #>> '{artifact,media_type}' when 'application/json' then 'json' else 'txt' end) end,
      quality_score = coalesce((g.result ->> 'quality_score')::numeric, s.quality_score), lease_token = null, lease_expires_at = null
    from given g where s.step_id = g.step_id
      and (p_tokens is null or (s.status = 'running' and s.attempt = g.attempt and s.lease_token = g.lease_token))
    returning s.step_id, s.task_id, s.agent, s.output_ref, g.artifact_id, g.result
  ), stored as (
    insert into public.artifacts (artifact_id, task_id, step_id, type, storage_ref, checksum, agent, media_type, content, created_at)
    select d.artifact_id, d.task_id, d.step_id, d.result #>> '{artifact,type}', d.output_ref, private.sha256_hex(d.result #>> '{artifact,content}'),
      d.agent, d.result #>> '{artifact,media_type}', d.result #>> '{artifact,content}', v_now
    from done d where d.artifact_id is not null
    union all
    select p.id, d.task_id, d.step_id, 'post', format('supa://artifacts/%s/post.txt', p.id), private.sha256_hex(d.result ->> 'post'),
      d.agent, 'text/plain', d.result ->> 'post', v_now + interval '1 microsecond'
    from done d cross join lateral (select gen_random_uuid() as id where d.step_id is not null) p where d.result ->> 'post' is not null
  )
  select array_agg(d.step_id) into v_done from done d;
  return coalesce(v_done, '{}');
end
$$;
comment on function private.store_results(uuid[], integer[], uuid[], jsonb[]) is
  'Ends these steps with their results, under the fence of their leases where tokens are given, and returns the steps that were ended.';

create or replace function private.finish_step(p_step_id uuid, p_result jsonb) returns void
language plpgsql set search_path = ''
as $$
begin
  perform private.store_results(array[p_step_id], null, null, array[p_result]);
end
$$;

-- After these steps are done: their events, then whoever waited for them. Their tasks are locked before the children are read,
-- so that two parents finishing in two sessions are both counted; the second waits here, or waited when it was completed.
create or replace function private.advance(p_steps uuid[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set jit = off
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_nestloop = on
as $$
declare
  v_now timestamptz := private.now();
  v_human uuid[];
  v_step uuid;
begin
  perform 1 from (select distinct s.task_id from public.task_steps s where s.step_id = any (p_steps) order by s.task_id offset 0) s
  cross join lateral (select 1 from public.tasks t where t.task_id = s.task_id for no key update) l;

  with done as materialized (
    select s.* from public.task_steps s where s.step_id = any (p_steps)
  ), freed as materialized (
    -- Whatever ended its task in the meantime has cancelled the children: only pending ones go on.
    select c.step_id, count(*)::integer as parents
    from done d join public.task_steps c on c.task_id = d.task_id and d.node_id = any (c.waits_for)
    where c.status = 'pending' group by c.step_id
  ), moved as (
    update public.task_steps c set pending_parents = c.pending_parents - f.parents,
      status = case when c.pending_parents = f.parents then 'ready' else 'pending' end,
      run_at = v_now,
      input_ref = case when c.pending_parents = f.parents then format('supa://tasks/%s/%s/inputs.json', c.task_id, c.node_id) end,
      input_hash = case when c.pending_parents = f.parents then private.input_hash(c.task_id, c.waits_for) end
    from freed f where c.step_id = f.step_id and c.status = 'pending'
    returning c.step_id, c.task_id, c.node_id, c.status, c.agent, c.agent_class, c.input_hash
  ), told as (
    -- What is done is told before what became ready by it.
    insert into public.events (task_id, type, agent, idempotency_key, payload_json, ts)
    select e.task_id, e.type, e.agent, e.key, e.payload, v_now from (
      select d.task_id, 'STEP_DONE' as type, d.agent, d.task_id || ':' || d.node_id || ':' || d.input_hash as key, d.step_id,
        jsonb_strip_nulls(jsonb_build_object('inputs_ref', d.input_ref, 'outputs_ref', d.output_ref, 'quality_score', d.quality_score,
          'node_id', d.node_id)) as payload
      from done d
      union all
      select m.task_id, 'STEP_READY', m.agent, m.task_id || ':' || m.node_id || ':' || m.input_hash || ':ready', m.step_id,
        jsonb_build_object('node_id', m.node_id)
      from moved m where m.status = 'ready'
    ) e order by e.type, e.step_id
    on conflict (idempotency_key) do nothing
  )
  select array_agg(m.step_id order by m.step_id) into v_human from moved m where m.status = 'ready' and m.agent_class = 'human';

  foreach v_step in array coalesce(v_human, '{}') loop
    perform private.open_request(v_step);
  end loop;
end
$$;

create or replace function api.complete_steps(p_results jsonb, p_policy_sha256 text) returns jsonb
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan set jit = off
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_nestloop = on
as $$
declare
  v_ids uuid[];
  v_attempts integer[];
  v_tokens uuid[];
  v_results jsonb[];
  v_agents text[];
  v_agent text;
  v_taken uuid[];
  v_step public.task_steps;
  v_done uuid[] := '{}';
  v_answers jsonb := '[]';
  v_refused jsonb;
begin
  -- All tasks of the batch in one order, before any of their steps: overlapping batches queue up and do not deadlock.
  perform 1 from (select distinct s.task_id from jsonb_to_recordset(p_results) as r(step_id uuid) join public.task_steps s using (step_id)
    order by s.task_id offset 0) s
  cross join lateral (select 1 from public.tasks t where t.task_id = s.task_id for no key update) l;
  -- A result goes with the set if it is the only one for its step and may end it; its agent stands for that. Whether the
  -- lease is still held is asked by the statement that ends the step.
  select array_agg(i.step_id order by i.step_id), array_agg(i.attempt order by i.step_id), array_agg(i.lease_token order by i.step_id),
    array_agg(i.result order by i.step_id), array_agg(i.agent order by i.step_id)
  into v_ids, v_attempts, v_tokens, v_results, v_agents
  from (
    select r.*, case when not s.is_effect and s.agent_class not in ('planner', 'human', 'communicator', 'orchestrator', 'critic')
      and private.storable(r.result) and count(*) over (partition by r.step_id) = 1 then s.agent end as agent
    from jsonb_to_recordset(p_results) as r(step_id uuid, attempt integer, lease_token uuid, result jsonb)
    left join public.task_steps s on s.step_id = r.step_id
  ) i;
  for v_agent in select distinct a from unnest(v_agents) a where a is not null order by a loop
    perform private.act_as(v_agent, 'step.complete');
    select private.store_results(array_agg(i.step_id order by i.step_id), array_agg(i.attempt order by i.step_id),
      array_agg(i.lease_token order by i.step_id), array_agg(i.result order by i.step_id)) into v_taken
    from unnest(v_ids, v_attempts, v_tokens, v_results, v_agents) as i(step_id, attempt, lease_token, result, agent) where i.agent = v_agent;
    v_done := v_done || v_taken;
  end loop;

  for n in 1 .. coalesce(cardinality(v_ids), 0) loop
    if v_agents[n] is not null and v_ids[n] = any (v_done) then
      v_answers := v_answers || jsonb_build_object('step_id', v_ids[n], 'status', 'done');
      continue;
    end if;
    -- Looked at one by one: the second of two results for one step finds it done.
    v_step := private.leased_step(v_ids[n], v_attempts[n], v_tokens[n]);
    if v_step.step_id is null then
      v_answers := v_answers || private.refuse_stale(v_ids[n], 'step.complete');
      continue;
    end if;
    -- Plans, people, effects and the archive have functions of their own.
    if v_step.is_effect or v_step.agent_class in ('planner', 'human', 'communicator', 'orchestrator') or not private.storable(v_results[n]) then
      v_answers := v_answers || private.refuse('invalid_request', v_step.agent, 'step.complete', 'step:' || v_step.step_id, v_step.task_id,
        'This result cannot be stored for this step.', jsonb_build_object('step_id', v_step.step_id));
      continue;
    end if;
    perform private.act_as(v_step.agent, 'step.complete');
    if v_step.agent_class = 'critic' then
      v_refused := private.store_evaluation(v_step.step_id, v_step.task_id, v_step.agent, v_results[n] -> 'evaluation');
      if v_refused ? 'refused' then
        v_answers := v_answers || (v_refused || jsonb_build_object('step_id', v_ids[n]));
        continue;
      end if;
      v_results[n] := v_results[n] || jsonb_build_object('quality_score', v_refused -> 'score');
    end if;
    perform private.finish_step(v_ids[n], v_results[n]);
    v_done := v_done || v_ids[n];
    v_answers := v_answers || jsonb_build_object('step_id', v_ids[n], 'status', 'done');
  end loop;
  -- The critic's no ends its task, running siblings included, before anything that waits for it becomes ready.
  perform private.reject_failed_evaluations(v_done);
  perform private.advance(v_done);
  return v_answers;
end
$$;
