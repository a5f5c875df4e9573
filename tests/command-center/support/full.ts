import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { fullOutside } from "./outside.ts";
import { plantRows } from "./planted.ts";
import { asking, booksOf } from "./served.ts";

export interface Full {
  db: TestDatabase;
  ask: Awaited<ReturnType<typeof asking>>;
}

/** The pages over a database and sources outside that have something of everything. */
export async function openFull(): Promise<Full> {
  const db = await openTestDatabase();
  await plantRows(db);
  return { db, ask: await asking(booksOf(db), fullOutside()) };
}
