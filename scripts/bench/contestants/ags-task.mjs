import { chainOf, openCommands } from "./ags-commands.mjs";
import { workOff } from "./ags-line.mjs";

/** One task at a time from its delivery to the archive: plan, two reads, critic, effect, archive. */
export async function taskEndToEnd({ url, policySha256, tasks, settle }) {
  const commands = await openCommands(url, policySha256, 1);
  try {
    const nodes = chainOf(2);
    const once = async () => {
      await commands.accept();
      let results = [];
      for (let steps = 0; steps < nodes.length;) {
        const work = await commands.next(results, "bench", 10, null);
        if (work.length === 0) throw new Error("a task stands still");
        results = await workOff(commands, work, nodes);
        steps += work.length;
      }
    };
    for (let n = 0; n < Math.ceil(tasks / 5); n++) await once();
    await settle();
    const latencies = [];
    for (let n = 0; n < tasks; n++) {
      const started = performance.now();
      await once();
      latencies.push(performance.now() - started);
    }
    return { latencies };
  } finally {
    await commands.close();
  }
}
