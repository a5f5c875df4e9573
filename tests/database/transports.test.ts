import { describe } from "vitest";
import { embeddedDatabase } from "../../functions/_database/embedded-database.ts";
import { openBareDatabase } from "../support/database.ts";
import { behavesAsDatabase, probeSchema } from "../support/database-behaviour.ts";
import { type NativeDatabase, onNativePostgres, openNativeSchema } from "../support/native.ts";
import { openGateway } from "../support/supabase-lite.ts";
import type { Database } from "../../functions/_database/database.ts";

/** The transport, and with it everything that was opened for it. */
const closing = (database: Database, native: NativeDatabase): Database => ({
  call: database.call,
  close: async () => {
    await database.close();
    await native.close();
  },
});

describe("in this process", () => {
  behavesAsDatabase("the embedded database", async () => {
    const pg = await openBareDatabase();
    await pg.exec(probeSchema);
    return embeddedDatabase(pg);
  });
});

onNativePostgres("the transports to a native PostgreSQL", () => {
  behavesAsDatabase("postgres.js", async () => {
    const native = await openNativeSchema(probeSchema);
    return closing(native.database, native);
  });

  behavesAsDatabase("supabase-js through a PostgREST-compatible gateway", async () => {
    const native = await openNativeSchema(probeSchema);
    const { database } = await openGateway(native);
    return closing(database, native);
  });
});
