import { describe, expect, it } from "vitest";
import { postgresDatabase } from "../../../functions/_database/postgres-database.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

// What it shares with the other transports is in tests/database/transports.test.ts.
describe("the postgres.js transport", () => {
  it("says that the database is unavailable when nothing listens", async () => {
    const database = postgresDatabase("postgres://nobody@127.0.0.1:9/none", { connectSeconds: 1 });
    await expect(database.call("echo")).rejects.toThrow(Refusal);
    await database.close();
  });

  it("refuses a name that is not one, before it connects", async () => {
    const database = postgresDatabase("postgres://nobody@127.0.0.1:9/none", { connectSeconds: 1 });
    await expect(database.call("echo(); drop table x; --")).rejects.toThrow(TypeError);
    await database.close();
  });
});
