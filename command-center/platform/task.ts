import { z } from "zod";
import type { TaskWhole } from "../facts/task.ts";
import type { Reader } from "../truth/reading.ts";
import { answer, count, time, words } from "./answer.ts";
import type { Ask, Books } from "./books.ts";
import { platformReader } from "./reader.ts";

const text = z.string().nullable();
const when = time.nullable();

const taskRow = z.object({
  task_id: z.string(),
  status: z.string(),
  risk_tier: z.string(),
  goal: z.string(),
  action: z.string(),
  actor: z.string(),
  source: z.string(),
  reason: text,
  policy_sha256: text,
  parent_task_id: text,
  created_at: time,
  ended_at: when,
});
const stepRow = z.object({
  step_id: z.string(),
  node_id: z.string(),
  status: z.string(),
  agent: z.string(),
  tier: z.string(),
  after: words,
  attempt: count,
  failures: count,
  worker: text,
  lease_expires_at: when,
  last_code: text,
  last_error: text,
  started_at: when,
  ended_at: when,
  quality_score: count.nullable(),
});
const eventRow = z.object({ seq: count, type: z.string(), agent: z.string(), ts: time });
const evaluationRow = z.object({
  evaluation_id: z.string(),
  critic: z.string(),
  author: z.string(),
  rubric: z.record(z.string(), z.number()),
  total: count,
  score: count,
  threshold: count,
  verdict: z.string(),
  red_flags: words,
  artifact_checksum: z.string(),
  created_at: time,
});
const requestRow = z.object({
  code: z.string(),
  status: z.string(),
  tier: z.string(),
  action: z.string(),
  digest: z.string(),
  bound_to: z.record(z.string(), z.unknown()),
  requested_at: time,
  expires_at: time,
  decided: z.array(z.object({
    name: z.string(),
    role: z.string(),
    decision: z.enum(["approve", "reject"]),
    at: time,
    digest: z.string(),
  })),
});
const effectRow = z.object({
  effect_id: z.string(),
  kind: z.string(),
  channel: z.string(),
  status: z.string(),
  attempt: count,
  reserved_at: time,
  sent_at: when,
  confirmed_at: when,
  digest: text,
  last_error: text,
});
const artifactRow = z.object({
  artifact_id: z.string(),
  type: z.string(),
  storage_ref: z.string(),
  checksum: z.string(),
  agent: z.string(),
  media_type: z.string(),
  created_at: time,
});
const auditRow = z.object({
  id: count,
  ts: time,
  actor: z.string(),
  action: z.string(),
  object: z.string(),
  outcome: z.string(),
  code: text,
});

const columns = (row: z.ZodObject): string => Object.keys(row.shape).join(", ");

/** So many of the newest rows of the two long lists. */
export const rows_shown = 60;

/** One task with everything that hangs on it, of one moment; an empty list where there is no such task. */
export const platformTask = (books: Books, id: string): Reader<readonly TaskWhole[]> =>
  platformReader(books, async (ask) => {
    const [task] = await of(ask, taskRow, "public.tasks", id, "");
    if (task === undefined) return [];
    return [{
      ...task,
      steps: await of(
        ask,
        stepRow,
        "public.task_steps",
        id,
        "order by started_at nulls last, created_at, node_id",
      ),
      events: await of(ask, eventRow, "public.events", id, `order by seq desc limit ${rows_shown}`),
      evaluations: await of(ask, evaluationRow, "public.evaluations", id, "order by seq desc"),
      requests: await of(
        ask,
        requestRow,
        "command_center.requests",
        id,
        "order by requested_at desc",
      ),
      effects: await of(ask, effectRow, "public.effects", id, "order by seq desc"),
      artifacts: await of(ask, artifactRow, "public.artifacts", id, "order by created_at"),
      audit: await of(
        ask,
        auditRow,
        "public.audit_logs",
        id,
        `order by id desc limit ${rows_shown}`,
      ),
    }];
  });

const of = <S extends z.ZodObject>(
  ask: Ask,
  row: S,
  table: string,
  id: string,
  rest: string,
): Promise<z.infer<S>[]> =>
  answer(ask, row, `select ${columns(row)} from ${table} where task_id = $1 ${rest}`, [id]);
