-- The promise of this file: what this platform must never do is a list that can be counted, and every line of it names what
-- holds it: an object of this database or a test. The rows come with migrations alone.
-- Refuses: history_is_append_only.

create table public.risk_boundaries (
  boundary_id text primary key check (boundary_id ~ '^[a-z]+(_[a-z]+)*$'),
  group_name text not null,
  position integer not null unique,
  rule text not null,
  enforced_by text not null,
  added_at timestamptz not null default private.now(),
  constraint boundary_group_is_known check (group_name in ('guardrail', 'access_rule', 'blocked_autonomy', 'scope_check')),
  constraint enforced_by_an_object_or_a_test check (enforced_by ~ '^((api|private|public)\.[a-z0-9_]+|tests/[a-zA-Z0-9_./-]+\.test\.ts)$')
);
comment on table public.risk_boundaries is
  'The registered risk boundaries: the rule, and the table, function or test that holds it. A test fails when that is gone.';

select private.close_table('public.risk_boundaries');
select private.allow_members('public.risk_boundaries', 'owner', 'operator', 'reviewer');
select private.audit('public.risk_boundaries', 'boundary', 'boundary_id');
select private.keep_history('public.risk_boundaries');
insert into public.risk_boundaries (position, boundary_id, group_name, rule, enforced_by) values
  (1, 'no_effect_of_its_own', 'guardrail',
    'Nothing that reads or drafts may trade, pay out, write to people, see a raw secret or roam the database.', 'tests/migrations/privileges.test.ts'),
  (2, 'agents_are_keyed_and_counted', 'guardrail',
    'An agent acts only under a registered identity that an owner can take away, at a limited rate, on record.', 'public.agents'),
  (3, 'memory_is_handed_out_in_pieces', 'guardrail',
    'Who asks what is remembered gets passages with the place they come from, never whole tables.', 'api.search_chunks'),
  (4, 'who_proposes_does_not_approve', 'guardrail',
    'A model may propose and hand in; approving and committing are acts of others.', 'private.decide'),
  (5, 'keys_are_kept_as_hashes', 'access_rule',
    'A key or one-time code is stored as its hash alone.', 'private.pairing_codes'),
  (6, 'a_key_is_shown_once', 'access_rule',
    'Whoever makes a key sees it at that moment and nobody sees it again.', 'api.create_pairing_code'),
  (7, 'least_privilege_and_a_rate', 'access_rule',
    'Callers from outside have the fewest rights that do, and a rate that is counted.', 'private.take_token'),
  (8, 'keys_hand_in_and_no_more', 'access_rule',
    'What holds only a key may hand in a request; it decides and commits nothing.', 'tests/laws/anon-executes-nothing.test.ts'),
  (9, 'no_approval_without_a_person', 'blocked_autonomy',
    'No agent approves: an approval is a row of a member who was asked.', 'public.approvals'),
  (10, 'no_commit_without_an_approval', 'blocked_autonomy',
    'No agent changes what is remembered, planned or known about people outside the one door for effects.', 'api.reserve_effect'),
  (11, 'no_act_outside_without_the_gate', 'blocked_autonomy',
    'No agent trades, pays, posts or writes to anybody past the gates of an effect.', 'private.effect_problem'),
  (12, 'no_role_of_ones_own_making', 'blocked_autonomy',
    'No agent makes members or owners, or gets round what a person or a tenant may see.', 'api.add_member'),
  (13, 'unsafe_scopes_are_not_there', 'scope_check',
    'Writing memory and trading assets are no questions that can be asked: no such command is granted.', 'tests/migrations/privileges.test.ts');
