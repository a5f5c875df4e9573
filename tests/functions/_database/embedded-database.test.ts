import { describe, expect, it } from "vitest";
import { signaturesQuery } from "../../../functions/_database/call-statement.ts";
import { embeddedDatabase } from "../../../functions/_database/embedded-database.ts";
import { openBareDatabase } from "../../support/database.ts";
import { probeSchema } from "../../support/database-behaviour.ts";

// What it shares with the other transports is in tests/database/transports.test.ts.
describe("the embedded transport", () => {
  it("refuses a name that is not one, before any SQL is made of it", async () => {
    const asked: string[] = [];
    const database = await embeddedDatabase({
      query: (text) => {
        asked.push(text);
        return Promise.resolve({ rows: [] });
      },
      exec: () => Promise.resolve(),
      close: () => Promise.resolve(),
    });
    await expect(database.call("echo(); drop table x; --")).rejects.toThrow(TypeError);
    await expect(database.call("echo", { "a => 1) --": 1 })).rejects.toThrow(TypeError);
    expect(asked.join()).not.toContain("drop table");
  });

  it("looks into the catalogue once, for functions without parameters too", async () => {
    const pg = await openBareDatabase();
    await pg.exec(probeSchema);
    const asked: string[] = [];
    const query = <T>(text: string, params?: unknown[]) => {
      asked.push(text);
      return pg.query<T>(text, params);
    };
    const database = await embeddedDatabase({
      query,
      exec: (text) => pg.exec(text),
      close: () => pg.close(),
    });
    for (let n = 0; n < 3; n++) await database.call("whoami");
    expect(asked).toEqual([signaturesQuery, ...Array(3).fill("select api.whoami() as result")]);
    await database.close();
  });

  it("returns to service_role after a transaction under another role, even a failed one", async () => {
    const pg = await openBareDatabase();
    await pg.exec(probeSchema);
    const database = await embeddedDatabase(pg);
    const failing = pg.transaction(async (tx) => {
      await tx.exec("set local role postgres");
      await tx.query("select 1/0");
    });
    await expect(failing).rejects.toThrow();
    expect(await database.call("whoami")).toBe("service_role");
    await database.close();
  });
});
