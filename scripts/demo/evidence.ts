import type { PGlite } from "@electric-sql/pglite";
import { stackFile } from "../stack/files.ts";

/** What `--json` prints: read back by SQL, as the auditor, from a copy of the database. */
export interface Evidence {
  task_id: string;
  tier: string;
  status: string;
  hops: { name: string; ms: number | null }[];
  events: string[];
  approvals: { approver: string; role: string; decision: string; digest: string }[];
  effects: { kind: string; status: string; idempotency_key: string }[];
  audit_rows: number;
}

export interface Sent {
  chat_id: string;
  message_id: string;
  /** Known for what was published. */
  text: string | null;
}

export interface TrailRow {
  at: string;
  actor: string;
  action: string;
  objects: string;
  code: string | null;
}

async function asAuditor<T>(pg: PGlite, file: string, params: unknown[] = []): Promise<T[]> {
  const text = await stackFile(`../demo/${file}`);
  return await pg.transaction(async (tx) => {
    await tx.exec("set transaction read only; set local role auditor");
    return (await tx.query<T>(text, params)).rows;
  });
}

type Found = Omit<Evidence, "task_id" | "hops"> & {
  steps: Record<string, number | null>;
  asked_ms: number | null;
};

export async function gather(pg: PGlite, task_id: string, intake_ms: number): Promise<Evidence> {
  const [{ evidence }] = await asAuditor<{ evidence: Found }>(pg, "evidence.sql", [task_id]);
  const { steps, asked_ms, tier, status, ...rest } = evidence;
  const nodes = ["plan", "retrieve", "act", "critic"];
  return {
    task_id,
    tier,
    status,
    hops: [
      { name: "intake", ms: Math.round(intake_ms) },
      ...nodes.map((name) => ({ name, ms: steps[name] ?? null })),
      // From the card to the decision: people, not machines.
      { name: "approval", ms: asked_ms },
      { name: "publish", ms: steps.publish ?? null },
      { name: "archive", ms: steps.archive ?? null },
    ],
    ...rest,
  };
}

export const sentByOutbox = (pg: PGlite): Promise<Sent[]> => asAuditor(pg, "sent.sql");

export const auditTrail = (pg: PGlite, task_id: string): Promise<TrailRow[]> =>
  asAuditor(pg, "audit_trail.sql", [task_id]);
