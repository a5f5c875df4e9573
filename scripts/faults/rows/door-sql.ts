import * as line from "../../../tests/support/line.ts";
import type { FaultedDatabase } from "../faulted-database.ts";
import { Findings, type Row } from "../row.ts";
import { alertBody, reading, RunningStack } from "../running-stack.ts";

const injections = [
  "'; drop table public.tasks; --",
  "' or '1'='1",
  "$$; select pg_sleep(5); $$",
  "%_%' escape '!",
  "\\'; truncate audit_logs; --",
  "1); delete from public.events; --",
  "${7*7} {{7*7}} <%= 7 %>",
  "'||(select version())||'",
];

const schemaSum = async (db: FaultedDatabase): Promise<string> =>
  (await db.owner<{ sum: string }>(
    `select md5(string_agg(what, '|' order by what)) as sum from (
       select c.oid::regclass::text || a.attname || format_type(a.atttypid, a.atttypmod) as what
       from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('public', 'private', 'api') and a.attnum > 0 and not c.relispartition and c.relkind <> 'i'
       union all select p.oid::regprocedure::text || p.prosrc from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname in ('public', 'private', 'api')) s`,
  ))[0].sum;

const sql: Row = {
  id: 11,
  fault: "SQL in every string",
  promise: "stored word for word, never run",
  needs: ["postgres"],
  async run(scene) {
    const stack = await RunningStack.start(scene);
    const db = stack.database;
    const found = new Findings();
    const before = await schemaSum(db);
    let sent = 0;
    for (const text of injections) {
      const fields = ["source_event_id", "actor", "goal", "action"];
      for (const field of fields) {
        const response = await stack.task(
          reading(`${text}${field}`, { [field]: `${text} ${field}` }),
        );
        await response.arrayBuffer();
        found.must(response.status < 500, `${field}: ${response.status}`);
        sent++;
      }
      const alert = await stack.alert(alertBody({ note: text, ticker: text }));
      await alert.arrayBuffer();
      found.must(alert.status < 500, `an alert: ${alert.status}`);
      const update = await stack.update({
        update_id: 9000 + sent,
        message: {
          message_id: 1,
          from: { id: 1001, is_bot: false, first_name: text },
          chat: { id: 1001, type: "private" },
          date: 1,
          text: `/approve ${text} yes`,
        },
      });
      await update.arrayBuffer();
      found.must(update.status === 200, `an update: ${update.status}`);
      const { refused } = await line.accept(
        db,
        line.alertEvent(text, { goal: text, actor: text, source_event_id: text }),
      );
      found.must(refused === undefined, `accept_event: ${refused}`);
      const [kept] = await db.owner<{ goal: string; actor: string }>(
        "select goal, actor from public.tasks where goal = $1",
        [text],
      );
      found.must(kept?.goal === text && kept?.actor === text, "it was not stored word for word");
      sent += 3;
    }
    found.must(await schemaSum(db) === before, "the schema changed");
    found.counted(sent, "strings of SQL sent");
    found.saw("schema checksum unchanged, stored word for word");
    return found.outcome(`${injections.length} texts in every field of three doors`);
  },
};

export const doorSql = [sql];
