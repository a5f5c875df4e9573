import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEmbeddedDatabase } from "./database.ts";
import { onNativePostgres, openNativeDatabase } from "./native.ts";

export interface Fault {
  /** What somebody might do, as a migration would write it. */
  plant: string;
  /** The law must name it; an empty list is a near miss, which the law must leave alone. */
  found: string[];
}

interface Trial {
  (statements: string, query: string): Promise<{ what: string }[]>;
}

/**
 * A law about the schema: `offenders` selects one text column `what`. Each fault is planted in a transaction that is
 * taken back, and only when every fault was found is the shipped schema looked at. On a native PostgreSQL the schema was made by
 * a migrator who is no superuser.
 */
export function schemaLaw(name: string, offenders: string, faults: Record<string, Fault>): void {
  const suite = (open: () => Promise<{ trial: Trial; close(): Promise<void> }>) => {
    let opened: { trial: Trial; close(): Promise<void> };
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());
    const offendersAfter = async (statements: string) =>
      (await opened.trial(statements, offenders)).map(({ what }) => what).sort();

    it.each(Object.entries(faults))("finds a planted fault: %s", async (_, { plant, found }) => {
      const before = await offendersAfter("select 1");
      const after = await offendersAfter(plant);
      expect(after.filter((what) => !before.includes(what))).toEqual(found);
    });

    it("holds for the shipped schema", async () => {
      expect(await offendersAfter("select 1")).toEqual([]);
    });
  };

  describe(name, () => suite(embedded));
  onNativePostgres(`${name}, on a native PostgreSQL`, () => suite(openNativeDatabase));
}

async function embedded(): Promise<{ trial: Trial; close(): Promise<void> }> {
  const { pg, close } = await openEmbeddedDatabase();
  return {
    close,
    trial: async (statements, query) => {
      let rows: { what: string }[] = [];
      await pg.transaction(async (tx) => {
        await tx.exec("set local role postgres");
        await tx.exec(statements);
        rows = (await tx.query<{ what: string }>(query)).rows;
        await tx.rollback();
      });
      return rows;
    },
  };
}
