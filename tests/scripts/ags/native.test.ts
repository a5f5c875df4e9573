import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../../support/native.ts";
import { Stack } from "../../support/stack.ts";

onNativePostgres("the platform and its CLI on a Postgres of your own", () => {
  let native: NativeDatabase;
  let stack: Stack;
  beforeAll(async () => {
    native = await openNativeDatabase();
    stack = await Stack.start({ DATABASE_URL: native.ownerUrl });
  }, 120_000);
  afterAll(async () => {
    await stack?.remove();
    await native?.close();
  });

  it("refuses a statement that could change its own role, however it is spelled", async () => {
    for (
      const statement of [
        "select set_config('role', 'postgres', false)",
        "select U&\"set\\005fconfig\"('role', 'postgres', false)",
        "select query_to_xml('select 1', true, true, '')",
      ]
    ) {
      const ran = await stack.ags("sql", statement);
      expect(ran.err).toContain("could change its own role");
      expect(ran.code).toBe(1);
    }
  }, 60_000);

  it(
    "refuses what is no question and what an auditor may not read, in Postgres' words",
    async () => {
      for (
        const statement of [
          "commit; delete from tasks",
          "reset role",
          "do $$ begin end $$",
          "copy tasks to program 'id'",
        ]
      ) {
        expect((await stack.ags("sql", statement)).err).toContain("syntax error");
      }
      expect((await stack.ags("sql", "select * from private.cursors")).err).toContain(
        "permission denied",
      );
    },
    60_000,
  );

  it("moves the line, adds members, and asks as auditor without a snapshot", async () => {
    expect(
      await stack.ags(
        "members",
        "add",
        "--role",
        "operator",
        "--telegram",
        "1001",
        "--name",
        "olga",
      ),
    )
      .toMatchObject({ code: 0 });
    expect((await stack.ask("READ", "What is kept?", { text: "Everything." })).status).toBe(202);
    await Stack.until("the archive", async () => {
      const [task] = await stack.sql<{ status: string }>("select status from tasks");
      return task?.status === "archived" ? true : null;
    });
    expect(await stack.sql("select current_user::text as role, count(*) as n from members"))
      .toEqual([
        { role: "auditor", n: 1 },
      ]);
    expect(await readdir(stack.dataDir)).not.toContain("snapshots");
    expect(await readdir(stack.dataDir)).not.toContain("db");
  }, 60_000);

  it("simulates no decision", async () => {
    expect((await stack.ags("approve", "T2-20250928-0012", "yes", "--as", "olga")).code).toBe(1);
  }, 60_000);

  it(
    "says which command backs it up, never with the password, and leaves nothing that is no backup",
    async () => {
      const directory = await mkdtemp(join(tmpdir(), "ags-native-"));
      const ran = await stack.ags("backup", join(directory, "all.dump"));
      expect(`${ran.out}${ran.err}`).toContain("pg_dump --format=custom");
      expect(`${ran.out}${ran.err}`).not.toContain(new URL(native.ownerUrl).password);
      expect(await readdir(directory)).toEqual(ran.code === 0 ? ["all.dump"] : []);
      await rm(directory, { recursive: true });
    },
    60_000,
  );
});
