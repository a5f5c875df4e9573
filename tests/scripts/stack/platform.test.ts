import type { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBareDatabase, platformSql } from "../../support/database.ts";

let pg: PGlite;
beforeAll(async () => {
  pg = await openBareDatabase();
});
afterAll(() => pg?.close());

const value = async (sql: string) =>
  Object.values((await pg.query<Record<string, unknown>>(sql)).rows[0])[0];

describe("the platform", () => {
  it("opens new public tables to everyone, as Supabase does, so that closing them can be seen to work", async () => {
    await pg.exec("create table public.left_open (id int)");
    for (const role of ["anon", "authenticated", "service_role"]) {
      expect(await value(`select has_table_privilege('${role}', 'public.left_open', 'delete')`))
        .toBe(true);
    }
  });

  it("has a service role that row-level security does not bind, and no superuser among its roles", async () => {
    expect(await value("select rolbypassrls from pg_roles where rolname = 'service_role'")).toBe(
      true,
    );
    expect(
      await value(
        "select count(*)::int from pg_roles where rolsuper and rolname in ('anon', 'authenticated', 'service_role', 'authenticator')",
      ),
    ).toBe(0);
  });

  it("knows nobody outside a request, and the signed-in person within one", async () => {
    expect(await value("select auth.uid()")).toBeNull();
    const sub = "6a1f2f0e-7a57-4b0c-9c55-6f6f2b7b2c11";
    await pg.query("select set_config('request.jwt.claims', $1, false)", [
      JSON.stringify({ sub, role: "authenticated" }),
    ]);
    expect(await value("select auth.uid()")).toBe(sub);
    expect(await value("select auth.role()")).toBe("authenticated");
    await pg.query("select set_config('request.jwt.claims', '', false)");
  });

  it("does not reopen what was closed when it runs again", async () => {
    await pg.exec("alter default privileges in schema public revoke all on tables from anon");
    await pg.exec(await platformSql());
    await pg.exec("create table public.closed (id int)");
    expect(await value("select has_table_privilege('anon', 'public.closed', 'select')")).toBe(
      false,
    );
  });
});
