import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

// What destroys, or what a database that has landed data cannot follow. Text inside a function body is looked at too:
// a retention job deletes there, in history it is allowed to, and says so by its line.
const destructive = [
  /\bdrop\s+(table|column|schema|type|sequence|materialized\s+view|view|role|database|extension|policy|trigger|index)\b/i,
  // A check may change places with a wider one of the same name, in one statement.
  /\bdrop\s+constraint\s+(?:if\s+exists\s+)?(\w+)\b(?!\s*,\s*add\s+constraint\s+\1\b)/i,
  /^\s*truncate\s/i,
  /\balter\s+(table|column)\b.*\b(type|rename|drop(?!\s+(constraint|identity)))\b/i,
  /\brename\s+(to|column)\b/i,
];
/** The one line that removes a table: a partition whose month has passed and in which no row is left. */
const emptyMonth = "execute format('drop table %s', p_partition);";
const deletion = /\bdelete\s+from\s+([a-z_]+\.[a-z_]+|[a-z_]+)\b(?!\\)/i;
/** Indexes whose work another one does; they hold no data, and every change of a row paid for them. */
const replacedIndexes = /\bdrop index (public\.task_steps_(by_task|ready|leased)(, |;$))+$/;
/** Rows that are no history: buckets, cursors, heartbeats, what is only kept at hand, and the raw data that the named retention job removes. */
const removable =
  /^(private\.[a-z_]+|public\.(event_receipts|telegram_updates|one_drive_assets|embeddings|metrics|agent_heartbeats|consumer_receipts|working_memory))$/;

function offenders(tree: Tree): string[] {
  const found: string[] = [];
  for (const [path, text] of tree) {
    if (!/^migrations\/\d{4}_[a-z0-9_]+\.sql$/.test(path) || path.endsWith("_init.sql")) {
      found.push(`${path}: a name like 0001_what_it_does.sql, never …_init.sql`);
    }
    text.split("\n").forEach((line, i) => {
      const code = line.replace(/--.*$/, "");
      const removed = deletion.exec(code)?.[1];
      if (code.trim() === emptyMonth || replacedIndexes.test(code.trim())) return;
      if (destructive.some((fault) => fault.test(code)) || (removed && !removable.test(removed))) {
        found.push(`${path}:${i + 1}: ${code.trim()}`);
      }
    });
  }
  const numbers = [...tree.keys()].map((path) =>
    path.slice("migrations/".length, -".sql".length).slice(0, 4)
  );
  found.push(
    ...numbers.filter((number, i) => numbers.indexOf(number) !== i).map((n) => `${n} twice`),
  );
  return found;
}

const path = "migrations/9999_planted.sql";
const one = (text: string) => ({ path, text: `\n${text}\n`, found: [`${path}:2: ${text}`] });

fileLaw("migrations only add", ["migrations"], offenders, {
  "a dropped table": one("drop table public.tasks;"),
  "a dropped column": one("alter table public.tasks drop column goal;"),
  "a column of another type": one("alter table public.tasks alter column goal type varchar(10);"),
  "a renamed table": one("alter table public.tasks rename to jobs;"),
  "history removed": one("delete from public.audit_logs;"),
  "everything removed": one("truncate public.events;"),
  "an index that nothing replaces": one("drop index public.events_by_task;"),
  "not an index that another one replaces": {
    path,
    text:
      "drop index public.task_steps_by_task, public.task_steps_ready, public.task_steps_leased;\n",
    found: [],
  },
  "a name that the Supabase CLI leaves out": {
    path: "migrations/9999_init.sql",
    text: "select 1;\n",
    found: ["migrations/9999_init.sql: a name like 0001_what_it_does.sql, never …_init.sql"],
  },
  "a number used twice": {
    path: "migrations/0001_planted.sql",
    text: "select 1;\n",
    found: ["0001 twice"],
  },
  "a check that is only dropped": one(
    "alter table public.tasks drop constraint task_tier_is_known;",
  ),
  "not a check that is widened": {
    path,
    text: "alter table public.tasks drop constraint a, add constraint a check (true);\n",
    found: [],
  },
  "not a new column": {
    path,
    text: "alter table public.tasks add column planted text; -- never drop table\n",
    found: [],
  },
});
