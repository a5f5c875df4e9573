import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { migrate, MigrationRefused, migrationsFrom } from "../../../scripts/stack/migrate.ts";
import { embeddedMigrator } from "../../../scripts/stack/migrators.ts";

const first = {
  name: "0001_boxes.sql",
  text: "create table boxes (id int); insert into boxes values (1);",
};
const second = { name: "0002_lids.sql", text: "create table lids (id int);" };

let pg: PGlite;
beforeAll(async () => {
  pg = await PGlite.create();
});
afterAll(() => pg?.close());
beforeEach(() =>
  pg.exec(`drop schema if exists supabase_migrations cascade;
    drop schema public cascade; create schema public;`)
);

type File = { name: string; text: string };
const run = (...files: File[]) => migrate(embeddedMigrator(pg), migrationsFrom(files));

const rows = async (sql: string) => (await pg.query(sql)).rows;

describe("migrationsFrom", () => {
  it("refuses a file that is not numbered, and a number used twice", () => {
    expect(() => migrationsFrom([{ name: "boxes.sql", text: "" }])).toThrow(MigrationRefused);
    expect(() => migrationsFrom([first, { name: "0001_more.sql", text: "" }])).toThrow(
      /used by both/,
    );
  });

  it("puts the files in the order of their numbers", () => {
    expect(migrationsFrom([second, first]).map(({ version }) => version)).toEqual(["0001", "0002"]);
  });
});

describe("migrate", () => {
  it("refuses a landed file that was changed, and runs nothing else", async () => {
    await run(first);
    const changed = { ...first, text: `${first.text} -- better` };
    await expect(run(changed, second)).rejects.toThrow(/0001_boxes was changed/);
    expect(await rows("select to_regclass('lids') as lids")).toEqual([{ lids: null }]);
  });

  it("refuses a database that a newer checkout made", async () => {
    await run(first, second);
    await expect(run(first)).rejects.toThrow(/0002_lids, which this checkout lacks/);
  });

  it("refuses a file that slips in before what has run", async () => {
    await run(first, { ...second, name: "0003_lids.sql" });
    const late = { name: "0002_late.sql", text: "create table late (id int);" };
    await expect(run(first, late, { ...second, name: "0003_lids.sql" })).rejects.toThrow(
      /later number/,
    );
  });

  it("leaves nothing of a file that fails, names it, and keeps those before it", async () => {
    const broken = { name: "0002_broken.sql", text: "create table half (id int); select 1/0;" };
    await expect(run(first, broken)).rejects.toThrow(/0002_broken\.sql: division by zero/);
    expect(
      await rows("select to_regclass('half') as half, (select count(*)::int from boxes) as boxes"),
    )
      .toEqual([{ half: null, boxes: 1 }]);
    expect(await run(first, second)).toEqual(["0002"]);
  });

  it("does no harm the second time, and records what the Supabase CLI would", async () => {
    await run(first, second);
    expect(await run(first, second)).toEqual([]);
    expect(await rows("select count(*)::int as n from boxes")).toEqual([{ n: 1 }]);
    expect(
      await rows(
        "select version, name, statements from supabase_migrations.schema_migrations order by version",
      ),
    ).toEqual([
      { version: "0001", name: "boxes", statements: [first.text] },
      { version: "0002", name: "lids", statements: [second.text] },
    ]);
  });

  it("goes on where the Supabase CLI stopped, whose records have no checksum", async () => {
    await pg.exec(`create schema supabase_migrations;
      create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text);
      insert into supabase_migrations.schema_migrations values ('0001', '{}', 'boxes');`);
    expect(await run(first, second)).toEqual(["0002"]);
  });
});
