import { it } from "vitest";
import { openTestDatabase } from "./support/database.ts";
it("x", async () => {
  const db = await openTestDatabase();
  await db.owner(`set session_replication_role = replica`);
  const t0 = performance.now();
  await db.pg.exec(`reset role; set session_replication_role = replica;
  insert into public.tasks (task_id, status, actor, goal, risk_tier, action, source, created_at, ended_at, archived_at)
  select 'T-2026-11-21-' || lpad(i::text, 5, '0'), st, 'desk', 'Publish an idea about BTCUSDT number ' || i, 'T' || i % 4, 'PUBLISH_IDEA', 'tradingview', now() - i * interval '20 seconds',
   case when st in ('archived','failed','rejected') then now() - i * interval '20 seconds' + interval '4 seconds' * (1 + i % 5) end, case when st = 'archived' then now() - i * interval '20 seconds' + interval '4 seconds' * (1 + i % 5) end
  from (select i, (array['created','planned','running','awaiting_approval','pending_exec','publishing','archived','archived','archived','archived','archived','archived','failed','rejected','paused'])[1 + i % 15] st from generate_series(1, 10000) i) x;
  insert into public.task_steps (task_id, node_id, status, agent, agent_class, action, tier, lease_token, lease_expires_at, worker, started_at)
  select t.task_id, n, case when t.status = 'running' and n = 'research' then 'running' when t.status in ('archived') then 'done' else 'pending' end, n, n, t.action, t.risk_tier,
   case when t.status = 'running' and n = 'research' then gen_random_uuid() end, case when t.status = 'running' and n = 'research' then now() + interval '20 s' end, case when t.status = 'running' and n = 'research' then 'w1' end, now()
  from public.tasks t cross join unnest(array['research','retrieve','plan_idea','critic','approval','publish']) n where t.status <> 'created';
  set session_replication_role = origin; set role service_role`);
  console.log("plant", performance.now() - t0);
  const g = "status, claimed, request_status, effect_unseen, nothing_left";
 for (const q of ["select status, count(*) from public.tasks group by 1", "select * from command_center.signals where not closed", "select "+g+", count(*) from command_center.signals where not closed group by "+g,
 `select r.*, f.* from (select s.*, row_number() over (partition by ${g} order by created_at desc) as place, count(*) over (partition by ${g}) as alike from command_center.signals s where not closed) r left join lateral (select * from command_center.step_figures f where f.task_id = r.task_id) f on true where place <= 30`,
 "select * from command_center.kpi_by_hour", "select * from public.kpi_current", "select * from public.kpi_current where \"window\" = '24 h'"]) {
   for (const seq of ["on","on"]) {
    const t = performance.now();
    const n = await db.pg.transaction(async (tx) => { await tx.exec(`set transaction read only; set local role command_center; set local enable_seqscan = ${seq}; set local jit = off`); return (await tx.query(q)).rows; });
    console.log(q.slice(0,150), seq, n.length, Math.round(performance.now() - t), n.length < 3 ? JSON.stringify(n) : "");
  }}
}, 60000);
