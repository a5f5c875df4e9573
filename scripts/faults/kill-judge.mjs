// What the kills left behind, by the rows of the database and the record of whoever was outside.

/** Tasks that nobody will end any more by itself: the archive, an outcome that waits for a person, the end of three attempts. */
export async function openTasks(field) {
  const rows = await field.scratch.owner(
    `select t.task_id, t.status from public.tasks t where t.task_id = any ($1::text::text[])
       and t.status not in ('archived', 'paused', 'failed', 'rejected', 'cancelled')`,
    [list(field.tasks)],
  );
  return rows.length;
}

/** What the leases of a killed worker became: taken back by the reaper, and when they were claimed again. */
const reruns = `
  select extract(epoch from again.ts) * 1000 as claimed_again_at
  from public.audit_logs c
  cross join lateral (select n.id, n.action from public.audit_logs n
    where n.object = c.object and n.id > c.id and n.after_json ? 'status' order by n.id limit 1) ended
  cross join lateral (select n.ts from public.audit_logs n
    where n.object = c.object and n.id > ended.id and n.action = 'step.claim' order by n.id limit 1) again
  where c.action = 'step.claim' and c.object like 'step:%' and c.after_json ->> 'worker' = $1 and ended.action = 'step.reap'`;

/** Steps whose three attempts all ended with a killed worker: the end that the platform promises, and no loss. */
const exhaustedByKills = `
  select s.task_id from public.task_steps s where s.failures = 3 and s.task_id = any ($1::text::text[])
    and (select count(*) from public.audit_logs c where c.object = 'step:' || s.step_id and c.action = 'step.claim'
      and c.after_json ->> 'worker' = any ($2::text::text[])) >= 3`;

/** Whose effect nobody saw the end of, and who had taken it. Reported, not judged: one was seen whose cause is not known yet. */
const takers = `
  select t.task_id, (select a.after_json ->> 'worker' from public.audit_logs a
    where a.object = 'step:' || e.step_id and a.action = 'step.claim' order by a.id desc limit 1) as worker
  from public.tasks t join public.effects e using (task_id)
  where t.task_id = any ($1::text::text[]) and t.status = 'paused' and e.status = 'unknown'`;

const list = (values) => `{${[...values].join(",")}}`;

const percentile = (sorted, share) =>
  sorted.length === 0
    ? null
    : Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);

export async function judge(field, kills) {
  const rows = await field.scratch.owner(
    `select t.task_id, t.status, t.action, t.reason, e.status as effect,
       (select count(*)::int from public.events s where s.task_id = t.task_id and s.type = 'EFFECT_SENT') as sent
     from public.tasks t left join public.effects e using (task_id) where t.task_id = any ($1::text::text[])`,
    [list(field.tasks)],
  );
  const happened = field.happened();
  const timesOf = (row) => happened.get(field.nameOf(row)) ?? 0;
  const effects = rows.filter(({ action }) => action === field.action);
  const isUnknown = ({ status, effect }) => status === "paused" && effect === "unknown";
  const killers = kills.flatMap(({ worker, earlier }) => [worker, ...earlier])
    .filter((worker) => worker !== null);
  const thrice = new Set(
    (await field.scratch.owner(exhaustedByKills, [list(field.tasks), list(killers)]))
      .map(({ task_id }) => task_id),
  );
  const unexplained = (await field.scratch.owner(takers, [list(field.tasks)]))
    .filter(({ worker }) => !killers.includes(worker));
  const isExhausted = ({ status, task_id }) => status === "failed" && thrice.has(task_id);
  const ids = (found) => found.map(({ task_id }) => task_id);
  const stateOf = ({ task_id, status, reason }) =>
    `${task_id} ${[status, reason].filter(Boolean).join(" ")}`;

  const times = [];
  for (const { worker, killed_at } of kills) {
    if (worker === null) continue;
    for (const { claimed_again_at } of await field.scratch.owner(reruns, [worker])) {
      times.push(Number(claimed_again_at) - killed_at);
    }
  }
  times.sort((a, b) => a - b);
  return {
    tasks: rows.length,
    archived: rows.filter(({ status }) => status === "archived").length,
    unknown: rows.filter(isUnknown).length,
    unexplained: ids(unexplained),
    exhausted: ids(rows.filter(isExhausted)),
    lost: rows.filter((row) => row.status !== "archived" && !isUnknown(row) && !isExhausted(row))
      .map(stateOf),
    duplicated: ids(effects.filter((row) => timesOf(row) > 1 || row.sent > 1)),
    unsent: ids(effects.filter((row) => row.status === "archived" && timesOf(row) !== 1)),
    strangers: [...happened.keys()].filter((name) =>
      !effects.some((row) => field.nameOf(row) === name)
    ),
    // What a receiver that honours keys forgave; here nothing may need it.
    repeated: field.repeated(),
    reruns: times.length,
    rerun_ms: {
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      max: times.at(-1) ?? null,
    },
  };
}

/** Sentences that say what is wrong; none where everything holds. */
export function problemsOf(kills, found, longestRerunMs = 35_000) {
  const unseen = kills.filter(({ seen }) => !seen);
  const many = (what, ids) =>
    ids.length > 0 && `${ids.length} ${what}: ${ids.slice(0, 3).join(", ")}`;
  return [
    kills.length === 0 && "nobody was killed",
    unseen.length > 0 &&
    `${unseen.length} kills were not seen: ${[...new Set(unseen.map(({ point }) => point))]}`,
    many("tasks were lost", found.lost),
    many("effects happened more than once", found.duplicated),
    many("effects are confirmed and did not happen", found.unsent),
    many("effects belong to no task", found.strangers),
    many("calls were repeated", found.repeated),
    found.rerun_ms.p99 > longestRerunMs &&
    `the slowest hundredth of the repeats began ${found.rerun_ms.p99} ms after the kill`,
  ].filter(Boolean);
}
