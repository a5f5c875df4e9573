import type { Database } from "../../functions/_database/database.ts";
import { isTrouble } from "../../functions/_database/trouble.ts";
import { mask } from "../../functions/_domain/mask.ts";
import { requireLeastPrivilege } from "../stack/server.ts";
import { Sentence } from "../stack/sentence.ts";

/** Whoever connects with more than it needs, or to a database that has not these functions yet, is not served. */
export async function requireReady(database: Database): Promise<void> {
  try {
    await requireLeastPrivilege({ database });
    await database.call("look_for_work");
  } catch (error) {
    if (error instanceof Sentence) throw error;
    if (isTrouble(error)) {
      throw new Sentence(`The database of DATABASE_URL does not answer: ${problemOf(error)}`);
    }
    throw new Sentence(
      `The database of DATABASE_URL is not one that this release has migrated (${
        problemOf(error)
      }): run npm start on it first, or supabase db push.`,
    );
  }
}

/** What may be said of an error in the journal. */
export const problemOf = (error: unknown): string =>
  mask(error instanceof Error ? error.message : String(error)).slice(0, 500);
