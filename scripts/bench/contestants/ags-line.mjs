// One worker's share of the line, without the agents' own work: what each class of step hands back, and to which command.
import { setTimeout as sleep } from "node:timers/promises";
import { resultOf } from "./ags-commands.mjs";

const marks = { policy: 1, evidence: 2, factuality: 3, clarity: 2, risk: 1 };
const artifact = (type, content) => ({
  artifact: { type, media_type: "application/json", content: JSON.stringify(content) },
});

/** The last read makes the result that the critic reads; the others hand back nothing. */
function resultFor(work, lastRead) {
  if (work.agent_class === "critic") {
    const read = work.inputs.findLast(({ type }) => type === "result");
    return {
      ...artifact("evaluation", {}),
      evaluation: {
        artifact_id: read?.artifact_id,
        rubric: marks,
        red_flags: [],
        checks: [],
        verdict: "pass",
      },
    };
  }
  return work.node_id === lastRead ? artifact("result", { node: work.node_id }) : {};
}

/** Plans, effects and archives each have their command; the results of everything else are handed back for the batch. */
export async function workOff(commands, work, nodes) {
  const lastRead = nodes.findLast(({ id }) => id.startsWith("read")).id;
  const results = [];
  for (const step of work) {
    if (step.agent_class === "planner") await commands.plan(step, nodes);
    else if (step.agent_class === "orchestrator") await commands.archive(step);
    else if (step.is_effect) await commands.recordEffect(step);
    else results.push(resultOf(step, resultFor(step, lastRead)));
  }
  return results;
}

/** A worker until it is told to stop; `worked` hears how many steps each batch had. */
export async function runWorker(commands, { name, batch, nodes, stopped, worked }) {
  let results = [];
  while (!stopped()) {
    const work = await commands.next(results, name, batch, null);
    results = await workOff(commands, work, nodes);
    worked(work.length);
    if (work.length === 0) await sleep(5);
  }
  if (results.length > 0) await commands.complete(results);
}
