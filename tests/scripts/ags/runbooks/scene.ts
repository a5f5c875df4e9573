import { randomUUID } from "node:crypto";
import type { TestDatabase } from "../../../support/database.ts";
import type { RunbookDeps, RunbookOptions } from "../../../../scripts/ags/runbooks/run.ts";

/** A runbook's world on a test database: the same administrator's calls, answers given ahead, and what was said. */
export function runbookScene(db: TestDatabase, answer: (question: string) => boolean = () => true) {
  const said: string[] = [];
  const interruption = new AbortController();
  const deps: RunbookDeps = {
    administer: async <T>(name: string, args: Record<string, unknown>) => {
      const names = Object.keys(args);
      const values = names.map((key) => {
        const value = args[key];
        return value !== null && typeof value === "object" ? JSON.stringify(value) : value;
      });
      const list = names.map((key, i) => `${key} => $${i + 1}`).join(", ");
      const [row] = await db.as<{ answer: T }>(
        "administrator",
        `select api.${name}(${list}) as answer`,
        values,
      );
      return row.answer;
    },
    say: (line) => said.push(line),
    confirm: (question) => Promise.resolve(answer(question)),
    wait: () => Promise.resolve(),
    canary: () => Promise.resolve({ asked: true, good: true, said: "a price" }),
    interrupted: interruption.signal,
    actor: "cli:olga",
    runId: randomUUID(),
  };
  return { deps, said, interrupt: () => interruption.abort() };
}

export const options = (more: Partial<RunbookOptions> = {}): RunbookOptions => ({
  dryRun: false,
  task: null,
  tool: null,
  watchSeconds: 0,
  ...more,
});

/** How many rows every table has, and what its rows say: nothing may differ after a rehearsal. */
export async function everyTable(db: TestDatabase): Promise<Record<string, unknown>> {
  const tables = await db.owner<{ name: string }>(
    "select format('%I.%I', schemaname, tablename) as name from pg_catalog.pg_tables where schemaname in ('public', 'private') order by 1",
  );
  const counts: Record<string, unknown> = {};
  for (const { name } of tables) {
    const [row] = await db.owner(
      `select count(*)::int as rows, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as said from ${name} t`,
    );
    counts[name] = row;
  }
  return counts;
}

export const trail = (db: TestDatabase, runId: string) =>
  db.owner<{ actor: string; action: string; outcome: string; title: string; step: number }>(
    "select actor, action, after_json ->> 'outcome' as outcome, after_json ->> 'title' as title, (after_json ->> 'step')::int as step from public.audit_logs where object = $1 order by id",
    [`runbook:${runId}`],
  );

/** Past every guard, as a fault would leave it. */
export async function plant(db: TestDatabase, sql: string, params: unknown[]): Promise<void> {
  await db.pg.transaction(async (tx) => {
    await tx.exec("set local role postgres; set local session_replication_role = replica");
    await tx.query(sql, params);
  });
}
