-- lists: who may decide, in which role, added and removed by whom, how often and when last they decided.
-- Read: review each active row with an owner; look twice at a note, at an owner who never decides, and at a member whom pairing-code or an unknown actor added.
select m.status, m.role, m.name, m.telegram_user_id, m.added_at, m.added_by, m.removed_at, m.removed_by,
  (select count(*) from public.approvals a where a.member_id = m.member_id) as decisions,
  (select max(a.ts) from public.approvals a where a.member_id = m.member_id) as last_decision,
  concat_ws('; ',
    case when m.status = 'active' and m.unreachable_since is not null then 'the bot cannot write to them since ' || m.unreachable_since::date end,
    case when m.status = 'active' and m.telegram_user_id is null then 'no Telegram id: cannot decide' end,
    case when m.status = 'active' and exists (select 1 from public.members o
      where o.person_id = m.person_id and o.member_id <> m.member_id and o.status = 'active') then 'one person, several accounts' end) as note
from public.members m
order by m.status, m.role, lower(m.name), m.added_at;
