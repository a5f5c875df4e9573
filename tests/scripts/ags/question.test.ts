import type { PGlite } from "@electric-sql/pglite";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { question, requireQuestion, statementFirst } from "../../../scripts/ags/question.ts";
import { openEmbeddedDatabase, type TestDatabase } from "../../support/database.ts";

let db: TestDatabase<PGlite>;
beforeAll(async () => {
  db = await openEmbeddedDatabase();
  await db.pg.exec("reset role");
  await db.pg.exec(
    await readFile(new URL("../../../scripts/stack/embedded.sql", import.meta.url), "utf8"),
  );
});
afterAll(() => db?.close());

/** As a new copy would be: the session is the owner's again, and no transaction is open. */
async function ask(statement: string, limit = 10) {
  await db.pg.exec("rollback");
  await db.pg.exec("reset session authorization");
  return await question(db.pg, statement, limit);
}

const refused: [what: string, statement: string, words: RegExp][] = [
  ["a commit before a delete", "commit; delete from tasks", /syntax error at or near "commit"/],
  ["a second statement", "select 1; delete from tasks", /multiple commands/],
  ["reset role", "reset role", /syntax error/],
  ["set role", "set role postgres", /syntax error/],
  [
    "set_config of the role",
    "select set_config('role', 'postgres', false)",
    /denied for function set_config/,
  ],
  [
    "set_config inside a text that is run",
    "select query_to_xml('select set_config(''role'', ''postgres'', true)', true, true, '')",
    /denied for function set_config/,
  ],
  [
    "reset role inside a text that is run",
    "select query_to_xml('reset role', true, true, '')",
    /not allowed/,
  ],
  ["do", "do $$ begin delete from public.tasks; end $$", /syntax error/],
  ["copy to a program", "copy tasks to program 'id'", /syntax error/],
  [
    "reading a file of the machine",
    "select pg_read_file('/etc/hostname')",
    /denied for function pg_read_file/,
  ],
  ["writing one", "select lo_export(1, '/tmp/x')", /denied for function lo_export/],
  ["a delete", "delete from tasks", /syntax error/],
  [
    "a delete inside a select",
    "with gone as (delete from tasks returning 1) select * from gone",
    /data-modifying/,
  ],
  ["a lock", "select * from tasks for update", /FOR UPDATE|read-only/],
  ["a command of the api", "select api.sweep()", /permission denied/],
  [
    "what is private",
    "select * from private.pairing_codes",
    /permission denied for schema private/,
  ],
];

describe("a question as the auditor", () => {
  for (const [what, statement, words] of refused) {
    it(`refuses ${what}, in Postgres' words`, async () => {
      await expect(ask(statement)).rejects.toThrow(words);
    });
  }

  it("says to ask a select instead of explain and show, also behind comments", () => {
    for (const text of ["explain select 1", "-- why\n/* so */ EXPLAIN select 1", "show all"]) {
      expect(() => requireQuestion(text)).toThrow("ask a plain select");
    }
    for (const text of ["", "-- nothing but a comment", "/* nor here */ "]) {
      expect(() => requireQuestion(text)).toThrow("There is no statement");
    }
    expect(() => requireQuestion("-- why\nselect 1 as explain")).not.toThrow();
  });

  it("tells a statement that begins with a comment from an option", () => {
    for (const text of ["-- why\nselect 1", "--why\nselect 1"]) {
      expect(statementFirst(["sql", text, "--limit", "2"])).toEqual([
        "sql",
        ` ${text}`,
        "--limit",
        "2",
      ]);
    }
    const others = ["members", "add", "--name=a\nb", "--json"];
    expect(statementFirst(others)).toEqual(others);
    expect(statementFirst([])).toEqual([]);
  });

  it("is asked as auditor, who is no superuser's session either", async () => {
    const { rows } = await ask("select current_user, session_user");
    expect(rows).toEqual([["auditor", "auditor"]]);
  });

  it("takes a comment and a semicolon at the end, as the audit queries have", async () => {
    expect((await ask("-- why\nselect 1 as one; -- so")).rows).toEqual([[1]]);
  });

  it("keeps two columns of one name apart, and fetches no more of an endless result than asked for", async () => {
    const answer = await ask(
      "select n as a, n + 1 as a from generate_series(1, 9) n, generate_series(1, 9999) b, generate_series(1, 9999) c",
      2,
    );
    expect(answer).toEqual({ columns: ["a", "a"], rows: [[1, 2], [1, 2]], more: true });
  });
});
