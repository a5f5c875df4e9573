import type { TaskWhole } from "../facts/task.ts";
import { type Figure, figureOf } from "../truth/figure.ts";
import { spoken } from "../truth/judge.ts";
import type { Reading } from "../truth/reading.ts";
import type { Level } from "./level.ts";
import { type Note, noteOf, telling } from "./telling.ts";

export interface Named {
  name: string;
  value: Figure<string>;
  time?: boolean;
}

export interface StepRow {
  key: string;
  level: Level;
  /** For the drawing: which node it is, and which it comes after. */
  node_id: string;
  after: readonly string[];
  node: Figure<string>;
  status: Figure<string>;
  agent: Figure<string>;
  tier: Figure<string>;
  attempts: Figure<string>;
  worker: Figure<string>;
  started: Figure<string>;
  took: Figure<string>;
  error: Figure<string>;
}

/** A row of what hangs on a task: its cells by the names of its list. */
export interface Line {
  key: string;
  level: Level;
  cells: Named[];
}

export interface TaskView {
  note: Note;
  title: Figure<string>;
  state: Figure<string>;
  level: Level;
  facts: Named[];
  steps: StepRow[];
  lists: { key: string; title: string; what: string; lines: Line[] }[];
}

export function taskView(
  reading: Reading<readonly TaskWhole[]>,
  id: string,
  now: Date,
): TaskView {
  const task = reading.status === "unknown" ? null : reading.value[0];
  const say = telling(reading, { id });
  const note = noteOf(reading, "task");
  if (task === null || task === undefined) {
    return {
      note,
      title: say<string>(null),
      state: say<string>(null),
      level: "unknown",
      facts: [],
      steps: [],
      lists: [],
    };
  }
  const named = (name: string, value: string): Named => ({ name, value: say(value) });
  const timed = (name: string, value: string | null): Named =>
    value === null ? named(name, "not yet") : { ...named(name, value), time: true };
  return {
    note,
    title: say(task.goal),
    state: say(task.status),
    level: levelOfStatus(task.status),
    facts: [
      named("Task", task.task_id),
      named("Tier", task.risk_tier),
      named("Action", task.action),
      named("Asked by", task.actor),
      named("Through", task.source),
      timed("Created", task.created_at),
      timed("Ended", task.ended_at),
      named("Reason", task.reason ?? "none"),
      named("Policy", task.policy_sha256?.slice(0, 12) ?? "not planned yet"),
      {
        name: "Parent",
        value: say(task.parent_task_id ?? "none", {
          leads: true,
          href: task.parent_task_id && `/command/tasks/${task.parent_task_id}`,
        }),
      },
    ],
    steps: task.steps.map((step): StepRow => {
      const tell = telling(reading, { id: step.step_id });
      const end = step.ended_at === null ? now.getTime() : Date.parse(step.ended_at);
      return {
        key: `step-${step.node_id}`,
        level: levelOfStatus(step.status),
        node_id: step.node_id,
        after: step.after,
        node: tell(step.node_id),
        status: tell(step.status),
        agent: tell(step.agent),
        tier: tell(step.tier),
        attempts: tell(
          step.failures > 0
            ? `${step.attempt}, of them failed ${step.failures}`
            : `${step.attempt}`,
        ),
        worker: tell(step.worker ?? "nobody"),
        started: tell(step.started_at, { because: "not started" }),
        took: tell(
          step.started_at === null ? null : spoken((end - Date.parse(step.started_at)) / 1000),
          { because: "not started" },
        ),
        error: tell([step.last_code, step.last_error].filter(Boolean).join(": ") || "none"),
      };
    }),
    lists: listsOf(reading, task),
  };
}

function listsOf(reading: Reading<unknown>, task: TaskWhole): TaskView["lists"] {
  const line = (
    key: string,
    id: string,
    level: Level,
    cells: Record<string, string | null>,
  ): Line => ({
    key,
    level,
    cells: Object.entries(cells).map(([name, value]) => ({
      name,
      value: figureOf(reading, () => value ?? "not yet", { id }),
      time: value !== null && times.has(name),
    })),
  });
  return [
    {
      key: "evaluation",
      title: "Evaluations",
      what: "evaluation",
      lines: task.evaluations.map((row) =>
        line(
          `evaluation-${row.evaluation_id}`,
          row.evaluation_id,
          row.verdict === "pass" ? "good" : "red",
          {
            Verdict: row.verdict,
            Score: `${row.score} of at least ${row.threshold}`,
            Total: `${row.total} of 9`,
            Rubric: Object.entries(row.rubric).map(([name, mark]) => `${name} ${mark}`).join(", "),
            "Red flags": row.red_flags.join(", ") || "none",
            Critic: row.critic,
            Author: row.author,
            "Of artifact": row.artifact_checksum.slice(0, 12),
            When: row.created_at,
          },
        )
      ),
    },
    {
      key: "approvals",
      title: "Approvals",
      what: "approval request",
      lines: task.requests.map((row) =>
        line(row.code, row.code, row.status === "open" ? "amber" : "quiet", {
          Code: row.code,
          Status: row.status,
          Tier: row.tier,
          Digest: row.digest.slice(0, 12),
          "Bound to": boundTo(row.bound_to),
          Decided: row.decided.map(({ name, role, decision, digest }) =>
            `${name} (${role}) ${decision === "approve" ? "yes" : "no"}, bound to ${
              digest.slice(0, 12)
            }`
          ).join("; ") || "nobody yet",
          Asked: row.requested_at,
          Expires: row.expires_at,
        })
      ),
    },
    {
      key: "effects",
      title: "Effects",
      what: "effect",
      lines: task.effects.map((row) =>
        line(`effect-${row.effect_id}`, row.effect_id, levelOfStatus(row.status), {
          Effect: row.kind,
          Channel: row.channel,
          Status: row.status,
          Attempt: String(row.attempt),
          Reserved: row.reserved_at,
          Confirmed: row.confirmed_at,
          Digest: row.digest?.slice(0, 12) ?? "none",
          Error: row.last_error ?? "none",
        })
      ),
    },
    {
      key: "artifacts",
      title: "Artifacts",
      what: "artifact",
      lines: task.artifacts.map((row) =>
        line(`artifact-${row.artifact_id}`, row.artifact_id, "quiet", {
          Type: row.type,
          Kept: row.storage_ref,
          Checksum: row.checksum.slice(0, 12),
          By: row.agent,
          When: row.created_at,
        })
      ),
    },
    {
      key: "timeline",
      title: "Timeline of events",
      what: "event",
      lines: task.events.map((row) =>
        line(`event-${row.seq}`, `event ${row.seq}`, "quiet", {
          Event: row.type,
          By: row.agent,
          When: row.ts,
        })
      ),
    },
    {
      key: "audit",
      title: "Audit rows",
      what: "audit row",
      lines: task.audit.map((row) =>
        line(`audit-${row.id}`, `audit ${row.id}`, row.outcome === "refused" ? "amber" : "quiet", {
          Action: row.action,
          Object: row.object,
          Actor: row.actor,
          Outcome: row.code === null ? row.outcome : `${row.outcome}: ${row.code}`,
          When: row.ts,
        })
      ),
    },
  ];
}

const times = new Set(["When", "Asked", "Expires", "Reserved", "Confirmed"]);

/** Keys and short values: the digest is of all of it, the page shows what tells one binding from another. */
const boundTo = (bound: Readonly<Record<string, unknown>>): string =>
  Object.entries(bound).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `${name} ${text.length > 48 ? `${text.slice(0, 48)}…` : text}`;
  }).join(", ");

const levels: Record<string, Level> = {
  failed: "red",
  unknown: "red",
  stale: "red",
  rejected: "amber",
  rolled_back: "amber",
  paused: "amber",
  pending_exec: "amber",
  awaiting_approval: "amber",
  done: "good",
  archived: "good",
  confirmed: "good",
};
export const levelOfStatus = (status: string): Level => levels[status] ?? "quiet";
