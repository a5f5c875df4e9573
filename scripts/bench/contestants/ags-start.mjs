import { setTimeout as sleep } from "node:timers/promises";
import { openCommands } from "./ags-commands.mjs";

/** Resolves at the next hint, or after the pause; a hint that came while nobody waited counts for the next wait. */
function wakeable() {
  let wake = null;
  let hinted = false;
  return {
    hint() {
      hinted = true;
      wake?.();
    },
    async wait(ms) {
      if (!hinted) {
        let timer;
        await new Promise((resolve) => {
          wake = resolve;
          timer = setTimeout(resolve, ms);
        });
        clearTimeout(timer);
      }
      hinted = false;
      wake = null;
    },
  };
}

/**
 * From the moment a delivery leaves its sender to the moment an idle worker on another connection holds the first step
 * of its task. Where the database can pass a hint on, the worker waits for one, and looks by itself as rarely as ours
 * does; where it cannot, it asks again after `pollMs`.
 */
export async function enqueueToStart({ url, policySha256, tasks, pollMs, settle }) {
  const sender = await openCommands(url, policySha256, 1);
  const hinter = await openCommands(url, policySha256, 1);
  const worker = await openCommands(url, policySha256, 1);
  const { hints } = worker;
  const idle = wakeable();
  if (hints) await worker.listen(idle.hint);
  try {
    const sentAt = new Map();
    const startedAt = new Map();
    let stopped = false;
    const working = (async () => {
      while (!stopped) {
        const work = await worker.claim("bench", 10, ["planner"]);
        const now = performance.now();
        for (const { task_id } of work) startedAt.set(task_id, now);
        if (work.length === 0) await idle.wait(hints ? 5_000 : pollMs);
      }
    })();
    const send = async (count) => {
      for (let n = 0; n < count; n++) {
        const at = performance.now();
        const { task_id } = await sender.accept();
        sentAt.set(task_id, at);
        if (hints) await hinter.hint();
        // Far enough apart that nothing queues, at no multiple of the pause between two polls.
        await sleep(5 + (n * 7919) % 13);
      }
    };
    await send(Math.ceil(tasks / 5));
    await settle();
    sentAt.clear();
    await send(tasks);
    await sleep(50);
    stopped = true;
    idle.hint();
    await working;
    const latencies = [...sentAt].flatMap(([task, at]) =>
      startedAt.has(task) ? [startedAt.get(task) - at] : []
    );
    return { latencies, of: tasks, woken_by: hints ? "hint" : `a poll every ${pollMs} ms` };
  } finally {
    await Promise.all([sender, hinter, worker].map((one) => one.close()));
  }
}
