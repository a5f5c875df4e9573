import { z } from "zod";
import type { AgentFact, Claim } from "../facts/agent.ts";
import type { Reader } from "../truth/reading.ts";
import { answer, count, time } from "./answer.ts";
import type { Books } from "./books.ts";
import { platformReader } from "./reader.ts";

const beatRow = z.object({
  worker: z.string(),
  agent_class: z.string(),
  status: z.enum(["idle", "busy", "degraded", "rate_limited"]),
  current_task_id: z.string().nullable(),
  dependency: z.string().nullable(),
  failure_mode: z.string().nullable(),
  last_success_at: time.nullable(),
  beat_at: time,
  interval_seconds: count,
  claimed_at: time.nullable(),
  last_activity_at: time.nullable(),
  held_by: z.string().nullable(),
  closed: z.boolean().nullable(),
});

const toolRow = z.object({
  tool: z.string(),
  state: z.enum(["closed", "open", "half_open"]),
  consecutive_failures: count,
  reason: z.string().nullable(),
  waiting: count,
});

/** Heartbeats of the platform's agents, each with what it says it works on and what the task itself says. */
export const platformAgents = (books: Books): Reader<readonly AgentFact[]> =>
  platformReader(books, async (ask) => {
    const rows = await answer(
      ask,
      beatRow,
      "select * from command_center.agents order by agent_class, worker",
    );
    const tools = await answer(ask, toolRow, "select * from command_center.tools order by tool");
    const [{ read_at: at }] = await answer(
      ask,
      z.object({ read_at: z.object({ observed_at: z.string() }) }),
      "select api.read_at()",
    );
    return [...rows.map(agentOf), ...tools.map((tool) => toolOf(tool, at.observed_at))];
  });

/** A breaker is not asked, it is read: what it knows of its tool is as old as the reading. */
const toolOf = (
  { tool, state, consecutive_failures, reason, waiting }: z.infer<typeof toolRow>,
  read_at: string,
): AgentFact => ({
  name: tool,
  kind: "tool",
  href: null,
  process: null,
  says: state === "closed" ? null : "degraded",
  beat_at: read_at,
  interval_s: 10,
  last_success_at: null,
  claim: null,
  dependency: null,
  failure: [
    state === "closed"
      ? "failing, its breaker is closed"
      : `its breaker is ${state.replace("_", " ")}`,
    `${consecutive_failures} failures in a row`,
    ...reason === null ? [] : [reason],
    ...waiting === 0 ? [] : [`${waiting} steps wait for it`],
  ].join(", "),
});

const agentOf = (row: z.infer<typeof beatRow>): AgentFact => ({
  name: `${row.agent_class} on ${row.worker}`,
  kind: "agent",
  href: null,
  process: null,
  says: row.status,
  beat_at: row.beat_at,
  interval_s: row.interval_seconds,
  last_success_at: row.last_success_at,
  claim: claimOf(row),
  dependency: row.dependency,
  failure: row.failure_mode,
  works_as: row.worker,
});

function claimOf(row: z.infer<typeof beatRow>): Claim | null {
  if (row.current_task_id === null) return null;
  return {
    id: row.current_task_id,
    href: `/command/tasks/${row.current_task_id}`,
    claimed_at: row.claimed_at,
    last_activity_at: row.last_activity_at,
    assigned_to: row.held_by,
    closed: row.closed,
  };
}
