import type { Database } from "./database.ts";

const attempts = 3;

/** What was seen is seen: a stumble of the database must not turn it into an outcome that nobody saw. */
export async function confirmEffect(
  database: Database,
  outcome: Record<string, unknown>,
): Promise<void> {
  for (let left = attempts;; left--) {
    try {
      await database.call("confirm_effect", outcome);
      return;
    } catch (error) {
      if (left <= 1) throw error;
    }
  }
}
