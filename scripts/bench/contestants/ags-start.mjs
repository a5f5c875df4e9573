import { setTimeout as sleep } from "node:timers/promises";
import { openCommands } from "./ags-commands.mjs";

/**
 * From the moment a delivery leaves its sender to the moment an idle worker on another connection holds the first step
 * of its task. The worker asks again `pollMs` after an empty answer.
 */
export async function enqueueToStart({ url, policySha256, tasks, pollMs, settle }) {
  const sender = await openCommands(url, policySha256, 1);
  const worker = await openCommands(url, policySha256, 1);
  try {
    const sentAt = new Map();
    const startedAt = new Map();
    let stopped = false;
    const working = (async () => {
      while (!stopped) {
        const work = await worker.claim("bench", 10, ["planner"]);
        const now = performance.now();
        for (const { task_id } of work) startedAt.set(task_id, now);
        if (work.length === 0) await sleep(pollMs);
      }
    })();
    const send = async (count) => {
      for (let n = 0; n < count; n++) {
        const at = performance.now();
        const { task_id } = await sender.accept();
        sentAt.set(task_id, at);
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
    await working;
    const latencies = [...sentAt].flatMap(([task, at]) =>
      startedAt.has(task) ? [startedAt.get(task) - at] : []
    );
    return { latencies, of: tasks };
  } finally {
    await sender.close();
    await worker.close();
  }
}
