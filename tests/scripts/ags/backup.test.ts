import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "../../support/stack.ts";

let stack: Stack;
let directory: string;
let file: string;
const fold =
  "select object, count(*) as rows, max(id) as last from audit_logs group by object order by object";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ags-backup-"));
  file = join(directory, "backup.tgz");
  stack = await Stack.start();
  await stack.ask("READ", "What is kept?", { text: "Everything." });
  await Stack.until("the archive", async () => {
    const [task] = await stack.sql<{ status: string }>("select status from tasks");
    return task?.status === "archived" ? true : null;
  });
}, 120_000);
afterAll(async () => {
  await stack?.remove();
  await rm(directory, { recursive: true, force: true });
});

describe("ags backup and restore", () => {
  it("refuses to restore under a running platform", async () => {
    await writeFile(join(directory, "any.tgz"), "");
    const ran = await stack.ags("restore", join(directory, "any.tgz"), "--force");
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.err).toContain("is in use by npm start");
  }, 60_000);

  it(
    "writes one file while the platform runs, readable by its owner alone, and never over another",
    async () => {
      expect(await stack.ags("backup", file)).toMatchObject({ code: 0 });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await stack.ags("backup", file)).err).toContain("exists");
    },
    60_000,
  );

  it(
    "brings every row back in an empty directory, where the platform starts and goes on",
    async () => {
      const before = await stack.sql(fold);
      const other = await Stack.prepare();
      expect(await other.ags("restore", file)).toMatchObject({ code: 0 });
      expect(await other.sql(fold)).toEqual(before);
      await other.start();
      const answer = await other.ask("READ", "And after?", { text: "It goes on." });
      expect(answer.status).toBe(202);
      await other.remove();
    },
    120_000,
  );

  it("refuses a directory that has a database, and with --force keeps that one aside", async () => {
    await stack.interrupt();
    expect((await stack.ags("restore", file)).err).toContain("--force");
    expect(await stack.ags("restore", file, "--force")).toMatchObject({ code: 0 });
    const kept = (await readdir(stack.dataDir)).filter((name) => name.startsWith("db.before-"));
    expect(kept).toHaveLength(1);
  }, 120_000);

  it("leaves the database where it is when the file is no backup", async () => {
    const before = await stack.sql(fold);
    await writeFile(join(directory, "broken.tgz"), "not a backup");
    expect(await stack.ags("restore", join(directory, "broken.tgz"), "--force")).toMatchObject({
      code: 1,
    });
    expect(await stack.sql(fold)).toEqual(before);
  }, 60_000);
});
