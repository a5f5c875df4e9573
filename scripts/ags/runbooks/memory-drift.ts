import { Run, type RunbookDeps, type RunbookOptions } from "./run.ts";

interface Drift {
  cache: { symbol: string; found_at: string }[];
  memory: Record<string, number>;
  tasks: { task_id: string; status: string; as_of: string | null }[];
  mirror: {
    assets: number;
    newest: string | null;
    unknown_checksums: number;
    missing: number | null;
  };
}

const doneAnew = ["running", "awaiting_approval", "pending_exec"];

/** Outdated facts: stop citing them, clear what is left over, look at the mirror, and have the work anew that used them. */
export async function memoryDrift(deps: RunbookDeps, options: RunbookOptions): Promise<void> {
  const run = new Run("memory-drift", 5, deps, options);
  const drift = await run.read<Drift>("memory_drift", { p_task_id: options.task });

  run.begin("Invalidate what was found before and is out of date");
  for (const { symbol, found_at } of drift.cache) run.say(`${symbol}, found at ${found_at}`);
  if (drift.cache.length === 0) run.say("the cache holds nothing out of date");
  else {await run.change(
      `invalidate ${drift.cache.length} cached retrievals`,
      "invalidate_retrievals",
      {},
    );}

  run.begin("Purge the short-term memory");
  const keys = Object.entries(drift.memory);
  for (const [finding, count] of keys) run.say(`${count} keys: ${finding}`);
  if (keys.length === 0) run.say("every key is in use");
  else await run.change("purge expired and orphaned keys", "purge_memory", {});

  run.begin("Compare with the mirror's manifest before anything is restored");
  const { assets, newest, unknown_checksums, missing } = drift.mirror;
  if (assets === 0) {
    run.say("unknown: no manifest is filled, so nothing can be compared or restored from it");
  } else {
    run.say(`${assets} entries, the newest of ${newest ?? "unknown"}`);
    run.say(`${unknown_checksums} entries are of no artifact here: restore none of them`);
    run.say(`${missing ?? "unknown"} artifacts of archived tasks are missing from it`);
  }

  run.begin("Have the work done anew that used it");
  if (drift.tasks.length === 0) run.say("no open task cites anything out of date");
  for (const { task_id, status, as_of } of drift.tasks) {
    run.say(`${task_id} (${status}) cites what was found at ${as_of ?? "an unknown time"}`);
    if (!doneAnew.includes(status)) continue;
    await run.change(`have the retrieval and the critic of ${task_id} done anew`, "replan_task", {
      p_task_id: task_id,
      p_reason: run.reason,
    });
  }

  run.begin("What this runbook does not do yet");
  run.say(
    "It embeds no source anew and marks no chunk as stale: chunks are only written when a task is archived.",
  );
}
