-- The promise of this file: the critic is never the author, marks lie in their ranges, and the verdict is
-- computed here from the active policy. Refuses: evaluation_missing, author_is_critic, score_out_of_range.

create table public.evaluations (
  evaluation_id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  task_id text not null references public.tasks (task_id),
  step_id uuid references public.task_steps (step_id),
  artifact_id uuid not null references public.artifacts (artifact_id),
  artifact_checksum text not null,
  critic text not null,
  author text not null,
  rubric jsonb not null,
  rubric_sha256 text not null,
  total numeric(4, 2) not null check (total between 0 and 9),
  score numeric(5, 4) not null check (score between 0 and 1),
  threshold numeric(5, 4) not null check (threshold between 0 and 1),
  verdict text not null check (verdict in ('pass', 'fail')),
  red_flags text[] not null default '{}',
  checks jsonb not null default '[]',
  notes jsonb not null default '[]',
  created_at timestamptz not null default private.now(),
  constraint critic_is_not_the_author check (critic <> author),
  constraint score_is_total_of_nine check (score = round(total / 9, 4)),
  constraint a_pass_has_seven_points_and_no_red_flag
    check (verdict = 'fail' or (total >= 7 and score >= threshold and red_flags = '{}'))
);
comment on table public.evaluations is 'What the critic found; step_id is null where somebody asked outside the line.';
create index evaluations_by_task on public.evaluations (task_id, seq);
create index evaluations_by_step on public.evaluations (step_id);
create index evaluations_by_artifact on public.evaluations (artifact_id);

-- The tier that holds now: a policy that has since raised the action's tier counts, one that lowered it does not.
create function private.effective_tier(p_task public.tasks) returns text
language sql stable set search_path = ''
as $$ select greatest(p_task.risk_tier, coalesce(private.action_tier(p_task.action), 'T3')) $$;

create function private.store_evaluation(p_step_id uuid, p_task_id text, p_critic text, p_evaluation jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_artifact public.artifacts;
  v_marks jsonb := p_evaluation -> 'rubric';
  v_total numeric;
  v_threshold numeric;
  v_flags text[];
  v_id uuid;
  v_score numeric;
  v_verdict text;
begin
  if coalesce(length(p_critic), 0) not between 1 and 100 or octet_length(p_evaluation::text) > 65536
    or coalesce(jsonb_typeof(p_evaluation -> 'red_flags'), 'array') not in ('array', 'null') then
    return private.refuse('invalid_request', p_critic, 'evaluation.record', 'task:' || p_task_id, p_task_id, 'The evaluation does not have the documented shape.');
  end if;
  select a.* into v_artifact from public.artifacts a
  where a.task_id = p_task_id and a.artifact_id::text = p_evaluation ->> 'artifact_id';
  if v_artifact.artifact_id is null then
    return private.refuse('evaluation_missing', p_critic, 'evaluation.record', 'task:' || p_task_id, p_task_id, 'no artifact of this task was evaluated');
  end if;
  -- The mark is for the bytes that are stored, not for those that somebody once read.
  if private.sha256_hex(v_artifact.content) <> v_artifact.checksum
    or p_evaluation ->> 'artifact_checksum' <> v_artifact.checksum then
    return private.refuse('digest_drift', p_critic, 'evaluation.record', 'artifact:' || v_artifact.artifact_id, p_task_id);
  end if;
  if v_artifact.agent = p_critic then
    return private.refuse('author_is_critic', p_critic, 'evaluation.record', 'artifact:' || v_artifact.artifact_id, p_task_id);
  end if;
  if exists (select 1 from (values ('policy', 1), ('evidence', 2), ('factuality', 3), ('clarity', 2), ('risk', 1)) c(name, most)
    where case when jsonb_typeof(v_marks -> c.name) = 'number' then (v_marks ->> c.name)::numeric not between 0 and c.most else true end) then
    return private.refuse('score_out_of_range', p_critic, 'evaluation.record', 'artifact:' || v_artifact.artifact_id, p_task_id);
  end if;
  v_total := (v_marks ->> 'policy')::numeric + (v_marks ->> 'evidence')::numeric + (v_marks ->> 'factuality')::numeric
    + (v_marks ->> 'clarity')::numeric + (v_marks ->> 'risk')::numeric;
  v_score := round(round(v_total, 2) / 9, 4);
  select (private.approval_rule(private.effective_tier(t))).min_score into v_threshold from public.tasks t where t.task_id = p_task_id;
  v_threshold := coalesce(v_threshold, 1);
  v_flags := array(select jsonb_array_elements_text(coalesce(nullif(p_evaluation -> 'red_flags', 'null'), '[]')));
  -- A mark lost on policy or risk is a flag by itself, unless the critic has said what it is.
  select coalesce(array_agg(distinct f), '{}') into v_flags from (
    select unnest(v_flags) as f
    union all select m.name from (values ('policy'), ('risk')) m(name)
    where (v_marks ->> m.name)::numeric < 1 and not exists (select 1 from unnest(v_flags) g where g ~ ('^' || m.name || '\M'))) flags;
  -- The critic may be stricter than the policy, never laxer.
  v_verdict := case when v_total >= private.policy_number(7, 'rubric', 'pass_total') and v_score >= v_threshold and v_flags = '{}'
    and coalesce(p_evaluation ->> 'verdict', 'pass') = 'pass' then 'pass' else 'fail' end;
  insert into public.evaluations (task_id, step_id, artifact_id, artifact_checksum, critic, author, rubric, rubric_sha256, total, score,
    threshold, verdict, red_flags, checks, notes)
  values (p_task_id, p_step_id, v_artifact.artifact_id, v_artifact.checksum, p_critic, v_artifact.agent, v_marks,
    private.sha256_hex(v_marks::text), round(v_total, 2), v_score, v_threshold, v_verdict, v_flags,
    coalesce(p_evaluation -> 'checks', '[]'), coalesce(p_evaluation -> 'notes', '[]'))
  returning evaluation_id into v_id;
  if p_step_id is not null then
    perform private.emit('EVALUATED', p_task_id, p_critic, p_task_id || ':evaluated:' || v_id,
      jsonb_build_object('evaluation_id', v_id, 'score', v_score, 'verdict', v_verdict, 'red_flags', v_flags));
  end if;
  return jsonb_build_object('evaluation_id', v_id, 'score', v_score, 'verdict', v_verdict, 'threshold', v_threshold);
end
$$;

create function private.reject_failed_evaluations(p_steps uuid[]) returns void
language plpgsql set search_path = ''
as $$
declare
  v_task_id text;
begin
  for v_task_id in
    select distinct e.task_id from public.evaluations e where e.step_id = any (p_steps) and e.verdict = 'fail' order by e.task_id
  loop
    perform private.end_task(v_task_id, 'rejected', 'critic_rejected');
  end loop;
end
$$;

-- The evaluation that gates a task: the line's own latest one.
create function private.gating_evaluation(p_task_id text) returns public.evaluations
language sql stable set search_path = ''
as $$
  select e from public.evaluations e where e.task_id = p_task_id and e.step_id is not null order by e.seq desc limit 1
$$;

create function api.record_evaluation(p_evaluation jsonb, p_task_id text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  perform 1 from public.tasks t where t.task_id = p_task_id for no key update;
  if octet_length(p_evaluation::text) > 65536 then
    return private.refuse('payload_too_large', 'critic', 'evaluation.record', 'task:' || p_task_id);
  end if;
  if exists (select 1 from public.tasks t where t.task_id = p_task_id and t.status = 'archived') then
    insert into public.audit_logs (actor, action, object, task_id, after_json)
    values (coalesce(p_evaluation ->> 'critic', 'critic'), 'evaluation.consult', 'task:' || p_task_id, p_task_id, p_evaluation);
    return jsonb_build_object('evaluation_id', null);
  end if;
  perform private.act_as(coalesce(p_evaluation ->> 'critic', 'critic'), 'evaluation.record');
  return private.store_evaluation(null, p_task_id, p_evaluation ->> 'critic', p_evaluation);
end
$$;
comment on function api.record_evaluation(jsonb, text) is
  'Keeps an evaluation that was asked for outside the line; it gates nothing. Of an archived task only an audit row is kept. Refuses evaluation_missing, author_is_critic, score_out_of_range.';
revoke all on function api.record_evaluation(jsonb, text) from public;
grant execute on function api.record_evaluation(jsonb, text) to service_role;

-- What a step was given, as its input_ref names it: the request, and what the steps it waited for produced, by
-- checksum. Written down nowhere else; null for a step that is not ready yet.
create function private.step_inputs(p_ref text) returns table (task_id text, node_id text, content text)
language sql stable set search_path = ''
as $$
  select s.task_id, s.node_id, private.canonical_json(jsonb_build_object('payload', t.payload_json, 'inputs', coalesce((
    select jsonb_agg(jsonb_build_object('node_id', p.node_id, 'storage_ref', a.storage_ref, 'checksum', a.checksum)
      order by p.node_id collate "C", a.checksum collate "C", a.storage_ref collate "C")
    from public.task_steps p join public.artifacts a on a.step_id = p.step_id
    where p.task_id = s.task_id and p.node_id = any (s.waits_for)), '[]')))
  from public.task_steps s join public.tasks t using (task_id)
  where s.task_id = split_part(p_ref, '/', 4) and s.input_ref = p_ref
$$;
comment on function private.step_inputs(text) is 'The inputs of a step by their reference, as canonical JSON.';

create function api.read_artifact(p_ref text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce((
    select jsonb_build_object('artifact_id', f.artifact_id, 'task_id', f.task_id, 'type', f.type, 'agent', f.agent, 'content', f.content,
      'checksum', f.checksum, 'storage_ref', p_ref, 'node_id', f.node_id,
      'task', jsonb_build_object('task_id', t.task_id, 'goal', t.goal, 'actor', t.actor, 'action', t.action, 'risk_tier', t.risk_tier,
        'source', t.source, 'flow', t.flow, 'payload', t.payload_json, 'created_at', private.iso(t.created_at)),
      'inputs', private.task_inputs(f.task_id))
    from (
      select a.artifact_id, a.task_id, a.type, a.agent, a.content, a.checksum, s.node_id
      from public.artifacts a left join public.task_steps s on s.step_id = a.step_id where a.storage_ref = p_ref
      union all
      -- Inputs have no artifact_id, so no evaluation can name them.
      select null, i.task_id, 'inputs', 'orchestrator', i.content, private.sha256_hex(i.content), i.node_id
      from private.step_inputs(p_ref) i
    ) f join public.tasks t using (task_id)), jsonb_build_object('refused', 'not_found'))
$$;
comment on function api.read_artifact(text) is 'A stored artifact, or the inputs of a step, by its supa:// reference, with its task and the task''s artifacts. Refuses not_found.';
revoke all on function api.read_artifact(text) from public;
grant execute on function api.read_artifact(text) to service_role;

select private.close_table('public.evaluations');
select private.allow_members('public.evaluations', 'owner', 'operator', 'reviewer');
select private.keep_history('public.evaluations');
select private.freeze_with_task('public.evaluations');
select private.audit('public.evaluations', 'evaluation', 'evaluation_id');
