import { chainOf, openCommands, plannedTasks } from "./ags-commands.mjs";

/** From a delivery to a planned DAG of six steps: receipt, task, steps, events, artifact and audit rows. */
export async function intake({ url, policySha256, clients, tasks, settle }) {
  const commands = await openCommands(url, policySha256, clients);
  try {
    const nodes = chainOf(2);
    await plannedTasks(commands, Math.ceil(tasks / 5), nodes, clients);
    await settle();
    const started = performance.now();
    await plannedTasks(commands, tasks, nodes, clients);
    const seconds = (performance.now() - started) / 1000;
    const at = performance.now();
    let left = tasks;
    const accept = async () => {
      while (left-- > 0) await commands.accept();
    };
    await Promise.all(Array.from({ length: clients }, accept));
    const accepting = (performance.now() - at) / 1000;
    return { tasks, seconds, per_s: tasks / seconds, accepted_per_s: tasks / accepting };
  } finally {
    await commands.close();
  }
}
