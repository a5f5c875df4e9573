import { Run, type RunbookDeps, type RunbookOptions } from "./run.ts";

interface Consumer {
  consumer: string;
  paused: boolean;
  pause_reason: string | null;
}

interface Figures {
  latency_p95_seconds: Record<string, number | null> | null;
  duplicate_execution_rate: number | null;
  duplicate_rate: Record<string, number | null> | null;
  consumers: Consumer[];
}

interface Findings {
  twins: { task_id: string; twin_of: string; status: string; problem: string | null }[];
  twice_accepted: { task_id: string; receipts: number }[];
  twice_done: { task_id: string; step_id: string; confirmed: number }[];
  repeats: { consumer: string; events: number }[];
  steps: { task_id: string; node_id: string; status: string; finding: string }[];
}

const figure = (value: number | null | undefined): string => value == null ? "unknown" : `${value}`;

function showFigures(run: Run, when: string, figures: Figures): void {
  const tiers = Object.entries(figures.latency_p95_seconds ?? {})
    .map(([tier, seconds]) => `${tier} ${figure(seconds)}`).join(", ");
  const rates = Object.entries(figures.duplicate_rate ?? {})
    .map(([consumer, rate]) => `${consumer} ${figure(rate)}`).join(", ");
  run.say(`${when}: P95 latency of the last hour in seconds: ${tiers || "unknown"}`);
  run.say(`${when}: effects done twice: ${figure(figures.duplicate_execution_rate)}`);
  run.say(`${when}: deliveries that came again: ${rates || "unknown"}`);
}

/** Returns how many findings only a person can settle. */
function showFindings(run: Run, found: Findings): number {
  for (const { task_id, twin_of, status, problem } of found.twins) {
    run.say(`${task_id} (${status}) is a twin of ${twin_of}${problem ? `; ${problem}` : ""}`);
  }
  for (const { task_id, receipts } of found.twice_accepted) {
    run.say(`${task_id} has ${receipts} accepted deliveries; look: audit duplicates`);
  }
  for (const { task_id, confirmed } of found.twice_done) {
    run.say(
      `${task_id} had one effect confirmed ${confirmed} times; a person undoes what is one too many`,
    );
  }
  for (const { consumer, events } of found.repeats) {
    run.say(`${consumer} handled ${events} events more than once`);
  }
  for (const { task_id, node_id, status, finding } of found.steps) {
    run.say(`${task_id} ${node_id} (${status}): ${finding.replaceAll("_", " ")}`);
  }
  if (Object.values(found).every((list) => list.length === 0)) {
    run.say("nothing is there twice or out of order");
  }
  return found.twins.filter(({ problem }) => problem !== null).length + found.twice_done.length;
}

/** Repeated posts or trades, steps out of order: hold everybody, put it right, let go, watch. */
export async function desync(deps: RunbookDeps, options: RunbookOptions): Promise<void> {
  const run = new Run("desync", 6, deps, options);
  const before = await run.read<Figures>("runbook_figures");
  // Whatever an earlier run of this runbook left paused is this run's to let go.
  const held = before.consumers.filter(({ paused, pause_reason }) =>
    paused && pause_reason?.startsWith("runbook desync")
  ).map(({ consumer }) => consumer);
  const alone = before.consumers.filter(({ consumer, paused }) =>
    paused && !held.includes(consumer)
  );
  try {
    run.begin("Pause the consumers");
    for (const { consumer } of alone) run.say(`${consumer} was paused by somebody: left as it is`);
    for (const consumer of held) run.say(`${consumer} is still paused by an earlier run`);
    const open = before.consumers.filter(({ paused }) => !paused).map(({ consumer }) => consumer);
    for (const consumer of open) {
      const paused = await run.change(`pause ${consumer}`, "pause_consumer", {
        p_consumer: consumer,
        p_reason: run.reason,
      });
      if (paused !== null) held.push(consumer);
    }
    const isQuiet = options.dryRun || open.every((consumer) => held.includes(consumer));

    run.begin("Find what is there twice or out of order");
    const found = await run.read<Findings>("desync_findings", { p_task_id: options.task });
    const left = showFindings(run, found);
    if (!isQuiet) run.say("not every consumer is held: nothing is repaired while work goes on");

    run.begin("Cancel the younger twins");
    const twins = isQuiet ? found.twins.filter(({ problem }) => problem === null) : [];
    if (twins.length === 0) run.say("there is none to cancel");
    for (const { task_id, twin_of } of twins) {
      await run.change(`cancel ${task_id}, twin of ${twin_of}`, "cancel_twin", {
        p_task_id: task_id,
      });
    }
    for (const { task_id, problem } of found.twins) {
      if (problem !== null) run.say(`${task_id} is left to a person: ${problem}`);
    }

    run.begin("Rebuild the steps from the latest good artifacts");
    const broken = isQuiet ? [...new Set(found.steps.map(({ task_id }) => task_id))] : [];
    if (broken.length === 0) run.say("no task needs it");
    for (const task_id of broken) {
      await run.change(`rebuild the steps of ${task_id}`, "rebuild_steps", { p_task_id: task_id });
    }

    run.begin("Reopen the consumers");
    for (const consumer of [...held]) {
      const resumed = await run.change(`resume ${consumer}`, "resume_consumer", {
        p_consumer: consumer,
        p_reason: run.reason,
      });
      if (resumed !== null) held.splice(held.indexOf(consumer), 1);
    }

    run.begin(`Watch P95 latency and the duplicate rate for ${options.watchSeconds} s`);
    showFigures(run, "before", before);
    if (!options.dryRun) await deps.wait(options.watchSeconds);
    showFigures(run, "after", await run.read<Figures>("runbook_figures"));
    if (left > 0) run.say(`${left} of the findings above need a person`);
  } catch (error) {
    await letGo(run, held);
    throw error;
  } finally {
    for (const consumer of held) {
      if (options.dryRun) continue;
      deps.say(`STILL PAUSED: ${consumer}. Resume it: npm run ags -- resume ${consumer}`);
    }
  }
}

/** Cut short half way: nobody stays paused without being told so. */
async function letGo(run: Run, held: string[]): Promise<void> {
  if (run.options.dryRun) return;
  for (const consumer of [...held]) {
    try {
      const resumed = await run.do(
        `resume ${consumer}, since the runbook was cut short`,
        "resume_consumer",
        {
          p_consumer: consumer,
          p_reason: `${run.reason}, cut short`,
        },
      );
      if (resumed !== null) held.splice(held.indexOf(consumer), 1);
    } catch (error) {
      run.say(
        `${consumer} could not be resumed: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
}
