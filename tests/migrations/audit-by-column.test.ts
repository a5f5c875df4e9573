import fc from "fast-check";
import { expect, it } from "vitest";
import { act, db, task } from "./read-task.ts";

// The audit of tasks and steps is written out column by column; private.audit_rows is what it must agree with. Both hang on
// the table here, the second under another name for its objects.
const watched = {
  tasks: { key: "task_id", object: "task" },
  task_steps: { key: "step_id", object: "step" },
} as const;

/** A value for a column of this type, as SQL: what is hard to write is more likely than in life. */
function values(type: string, nullable: boolean): fc.Arbitrary<string> {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const words = fc.constantFrom("a", "", 'said "no"', "it's \\ {null}", "ünïcode 🙂", "x,y", "{}");
  const of: Record<string, fc.Arbitrary<string>> = {
    text: words.map(quoted),
    "text[]": fc.array(words, { maxLength: 3 }).map((list) =>
      `array[${list.map(quoted).join(", ")}]::text[]`
    ),
    jsonb: fc.constantFrom("{}", '{"a": null, "b": [1, 2.50, "c"]}', "null", '"{}"').map(quoted),
    integer: fc.integer({ min: 0, max: 3 }).map(String),
    numeric: fc.constantFrom("0.9", "0.9000", "1", "0"),
    boolean: fc.constantFrom("true", "false"),
    uuid: fc.constantFrom("gen_random_uuid()"),
    "timestamp with time zone": fc.constantFrom(
      "'infinity'",
      "'2027-01-01T00:00:00.5Z'",
      "private.now()",
    ),
  };
  const value = of[type];
  if (value === undefined) throw new Error(`no values for ${type}`);
  return nullable
    ? fc.oneof({ weight: 1, arbitrary: fc.constant("null") }, { weight: 3, arbitrary: value })
    : value;
}

interface Column {
  name: string;
  type: string;
  nullable: boolean;
}

const columnsOf = (table: string) =>
  db.owner<Column>(
    `select column_name as name, case data_type when 'ARRAY' then 'text[]' else data_type end as type,
       is_nullable = 'YES' as nullable from information_schema.columns
     where table_schema = 'public' and table_name = $1 order by ordinal_position`,
    [table],
  );

interface Told {
  told_by: string;
  before: string;
  after: string;
}

/** The audit rows of one update by both triggers; everything is taken back. */
async function told(table: keyof typeof watched, sets: string, more = "select 1") {
  const { key, object } = watched[table];
  const found = await db.pg.transaction(async (tx) => {
    await tx.exec("set local role postgres");
    await tx.exec(more);
    // What a value may be is another guard's matter.
    await tx.exec(
      `do $$ declare c name; begin
         for c in select k.conname from pg_constraint k where k.conrelid = 'public.${table}'::regclass and k.contype in ('c', 'f') loop
           execute format('alter table public.${table} drop constraint %I', c);
         end loop;
       end $$`,
    );
    await tx.exec(
      `create trigger zz_whole_rows after update on public.${table} referencing old table as old_rows new table as new_rows
         for each statement execute function private.audit_rows('whole', '${key}')`,
    );
    const { rows: [{ last }] } = await tx.query<{ last: string }>(
      "select max(id)::text as last from public.audit_logs",
    );
    await tx.exec(`update public.${table} set ${sets} where true`);
    const { rows } = await tx.query<Told>(
      `select split_part(object, ':', 1) as told_by, split_part(object, ':', 2) as of, actor, action, task_id, outcome,
         before_json::text as before, after_json::text as after from public.audit_logs where id > $1 order by 2, 1`,
      [last],
    );
    await tx.rollback();
    return rows;
  });
  const by = (name: string) =>
    found.filter(({ told_by }) => told_by === name).map(({ told_by: _, ...row }) => row);
  return { byColumn: by(object), byRow: by("whole") };
}

for (const table of ["tasks", "task_steps"] as const) {
  const free = (name: string) => !["step_id", "node_id", "status", "task_id"].includes(name);

  it(`writes of any change of ${table} what a comparison of whole rows would write`, async () => {
    await task([act]);
    await task([act]);
    const columns = (await columnsOf(table)).filter(({ name }) => free(name));
    const changes = fc.subarray(columns, { minLength: 1 }).chain((some) =>
      fc.tuple(
        ...some.map(({ name, type, nullable }) =>
          values(type, nullable).map((value) => `${name} = ${value}`)
        ),
      )
    );
    let written = 0;
    await fc.assert(
      fc.asyncProperty(changes, async (sets) => {
        const { byColumn, byRow } = await told(table, sets.join(", "));
        expect(byColumn).toEqual(byRow);
        written += byRow.length;
      }),
      { numRuns: 60 },
    );
    expect(written).toBeGreaterThan(100);
  });

  it(`writes nothing of an update that changes nothing in ${table}`, async () => {
    const name = table === "tasks" ? "goal" : "node_id";
    const { byColumn, byRow } = await told(table, `${name} = ${name}`);
    expect([byColumn, byRow]).toEqual([[], []]);
  });

  it(`writes a column of ${table} that was added after its audit was written out`, async () => {
    const { byColumn, byRow } = await told(
      table,
      "planted = 'seen'",
      `alter table public.${table} add column planted text`,
    );
    expect(byColumn).toEqual(byRow);
    expect(byColumn[0]).toMatchObject({
      before: '{"planted": null}',
      after: '{"planted": "seen"}',
    });
  });

  it(`knows every column of ${table}, so that no update takes the long way`, async () => {
    const [{ known, columns }] = await db.owner<{ known: number; columns: number }>(
      `select substring(pg_get_functiondef('private.audit_${table}()'::regprocedure) from 'tg_relid\\) = ([0-9]+)')::int as known,
         relnatts::int as columns from pg_class where oid = 'public.${table}'::regclass`,
    );
    expect(known, "call private.audit_by_column again after adding a column").toBe(columns);
  });

  it(`takes a change of ${table} back whose audit row somebody swallows`, async () => {
    const [{ key }] = await db.owner<{ key: string }>(
      `select ${watched[table].key}::text as key from public.${table} limit 1`,
    );
    const change = table === "tasks" ? "goal = 'x'" : "worker = 'x'";
    const swallowed = db.pg.transaction(async (tx) => {
      await tx.exec("set local role postgres");
      await tx.exec(
        "create function private.planted() returns trigger language plpgsql as 'begin return null; end'",
      );
      await tx.exec(
        "create trigger planted before insert on public.audit_logs for each row execute function private.planted()",
      );
      await tx.exec(
        `update public.${table} set ${change} where ${watched[table].key}::text = '${key}'`,
      );
    });
    await expect(swallowed).rejects.toThrow(`the audit rows of ${table} were not written`);
  });
}
