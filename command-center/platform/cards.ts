import { z } from "zod";
import type { CardFact } from "../facts/card.ts";
import type { Reader } from "../truth/reading.ts";
import { answer, count, time, words } from "./answer.ts";
import type { Ask, Books } from "./books.ts";
import { platformReader } from "./reader.ts";

export interface CardQuery {
  /** Part of a goal, an id or an actor. */
  search: string;
  tier: string | null;
  sort: "newest" | "oldest";
  /** So many cards of each kind are fetched; the others are counted. */
  shown: number;
}

/** A lane follows from these alone, so tasks that agree in them are in one lane and need not all be fetched to be counted. */
const signals = "status, claimed, request_status, effect_unseen, waits_for_tool, nothing_left";

const taskRow = z.object({
  task_id: z.string(),
  status: z.string(),
  risk_tier: z.string(),
  goal: z.string(),
  action: z.string(),
  actor: z.string(),
  reason: z.string().nullable(),
  created_at: time,
  closed: z.boolean(),
  worker: z.string().nullable(),
  agent: z.string().nullable(),
  claimed: z.boolean(),
  request_code: z.string().nullable(),
  request_status: z.string().nullable(),
  effect_unseen: z.boolean(),
  waits_for_tool: z.string().nullable(),
  nothing_left: z.boolean(),
  place: count,
  alike: count,
});
const stepRow = z.object({
  task_id: z.string(),
  next_agents: words.nullable(),
  last_activity_at: time.nullable(),
});
type TaskRow = z.infer<typeof taskRow>;

/** Open tasks, the first of each kind as cards; `more` says how many others are like the last of them. */
export const platformCards = (books: Books, query: CardQuery): Reader<readonly CardFact[]> =>
  platformReader(books, async (ask) => {
    const rows = await firstOfEachKind(ask, query);
    // Asked by their numbers: joined to the question before, every step of every task would be counted first.
    const steps = await answer(
      ask,
      stepRow,
      "select task_id, next_agents, last_activity_at from command_center.step_figures where task_id = any (string_to_array($1, ','))",
      [rows.map(({ task_id }) => task_id).join(",")],
    );
    const stepsOf = new Map(steps.map((row) => [row.task_id, row]));
    return rows.map((row): CardFact => {
      const step = stepsOf.get(row.task_id);
      return {
        owner: "task",
        id: row.task_id,
        title: row.goal,
        href: `/command/tasks/${row.task_id}`,
        repo: null,
        created_at: row.created_at,
        last_activity_at: step?.last_activity_at ?? row.created_at,
        labels: [row.risk_tier, row.action, row.status],
        assignees: assigneesOf(row, step?.next_agents ?? []),
        milestone: null,
        closed: row.closed,
        in_progress: row.claimed || row.status === "publishing",
        in_review: row.status === "awaiting_approval" || row.request_status === "open",
        blocked_by: blockerOf(row),
        contradictions: contradictionsOf(row),
        more: row.place === Math.min(query.shown, row.alike) ? row.alike - row.place : 0,
      };
    });
  });

async function firstOfEachKind(
  ask: Ask,
  { search, tier, sort, shown }: CardQuery,
): Promise<TaskRow[]> {
  const order = sort === "oldest" ? "created_at" : "created_at desc";
  return await answer(
    ask,
    taskRow,
    `select r.* from (
       select s.*, row_number() over (partition by ${signals} order by ${order}) as place, count(*) over (partition by ${signals}) as alike
       from command_center.signals s where not s.closed and ($1 = '' or strpos(lower(s.goal), $1) > 0 or strpos(lower(s.task_id), $1) > 0 or strpos(lower(s.actor), $1) > 0)
         and ($2::text is null or s.risk_tier = $2)
     ) r where r.place <= $3 order by r.${order}`,
    [search.toLowerCase(), tier, shown],
  );
}

/** Who holds it; else the agents whose step comes next; a task without a plan is nobody's. */
function assigneesOf({ worker, agent }: TaskRow, next: readonly string[]): readonly string[] {
  if (worker !== null) return [agent === null ? worker : `${agent} (${worker})`];
  return next;
}

function blockerOf(row: TaskRow): string | null {
  const { status, reason, effect_unseen, waits_for_tool } = row;
  if (effect_unseen) return "the outcome of its effect was not seen; a person settles it";
  if (waits_for_tool !== null) return `it waits for ${waits_for_tool}, which does not answer`;
  if (status === "paused") return reason ?? "a person must look";
  if (status === "pending_exec") return reason ?? "approved, and the effect is not switched on";
  return null;
}

function contradictionsOf(row: TaskRow): string[] {
  return [
    ...row.nothing_left ? ["every step has ended, and the task has not"] : [],
    ...row.status === "awaiting_approval" && row.request_status === null
      ? ["it waits for approval, and nobody is asked"]
      : [],
    ...row.claimed && (row.status === "created" || row.status === "pending_exec")
      ? [`a worker holds a step of it, and it is ${row.status.replace("_", " ")}`]
      : [],
  ];
}
