import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { textOf } from "../support/tree.ts";

/** Edges of the page's tables, under the heading of their subject. */
const inTables = (page: string): string[] => {
  let subject = "";
  return page.split("\n").flatMap((line) => {
    subject = /^## (\w+)/.exec(line)?.[1] ?? subject;
    const edge = /^\| `([a-z_()]+)` \| `([a-z_]+)` \|/.exec(line);
    return edge ? [`${subject}: ${edge[1]} → ${edge[2]}`] : [];
  }).sort();
};

/** Edges of the page's diagrams; a diagram marks its ends too, which are no edges. */
const inDiagrams = (page: string): string[] => {
  let subject = "";
  return page.split("\n").flatMap((line) => {
    subject = /^## (\w+)/.exec(line)?.[1] ?? subject;
    const edge = /^\s*(\[\*\]|[a-z_]+) --> ([a-z_]+)(?:\s*:.*)?$/.exec(line);
    return edge ? [`${subject}: ${edge[1] === "[*]" ? "(new)" : edge[1]} → ${edge[2]}`] : [];
  }).sort();
};

describe("docs/state-machine.md shows the edges that SQL has", () => {
  let db: TestDatabase;
  let edges: string[];
  beforeAll(async () => {
    db = await openTestDatabase();
    const rows = await db.owner<{ edge: string }>(
      "select subject || ': ' || from_status || ' → ' || to_status as edge from private.transitions",
    );
    edges = rows.map(({ edge }) => edge).sort();
  });
  afterAll(() => db?.close());

  const page = textOf("docs/state-machine.md");

  it("would notice an edge that the page lacks or has too much", () => {
    const without = page.replace("| `running` | `done` |", "| running | done |");
    expect(inTables(without)).not.toEqual(inTables(page));
    expect(inDiagrams(page.replace("running --> done", ""))).not.toEqual(inDiagrams(page));
    expect(inTables(`${page}\n| \`archived\` | \`running\` | . |\n`)).not.toEqual(inTables(page));
  });

  it("has the same edges in its tables", () => {
    expect(inTables(page)).toEqual(edges);
  });

  it("has the same edges in its diagrams", () => {
    expect(inDiagrams(page)).toEqual(edges);
  });

  it("knows every status of the tables, and no other", async () => {
    const statuses = await db.owner<{ subject: string; checks: string }>(
      `select t.subject, string_agg(pg_get_constraintdef(k.oid), ' ') as checks
       from (values ('task', 'public.tasks'), ('step', 'public.task_steps'),
         ('request', 'public.approval_requests'), ('effect', 'public.effects'),
         ('breaker', 'public.circuit_breakers')) t (subject, tab)
       join pg_constraint k on k.conrelid = t.tab::regclass and k.contype = 'c'
       where k.conname ~ 'stat(us|e)_is_known' group by t.subject`,
    );
    expect(statuses.map(({ subject }) => subject).sort()).toEqual([
      "breaker",
      "effect",
      "request",
      "step",
      "task",
    ]);
    for (const { subject, checks } of statuses) {
      const allowed = new Set([...checks.matchAll(/'([a-z_]+)'/g)].map(([, status]) => status));
      const reached = edges.filter((edge) => edge.startsWith(`${subject}: `)).map((edge) =>
        edge.split(" → ")[1]
      );
      expect([...allowed].sort(), subject).toEqual([...new Set(reached)].sort());
    }
  });
});
