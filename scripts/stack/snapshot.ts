import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";

/** A copy in memory, for questions that may take long or be stopped. */
export const openSnapshot = (dump: Blob): Promise<PGlite> =>
  PGlite.create({ loadDataDir: dump, extensions: { vector } });
