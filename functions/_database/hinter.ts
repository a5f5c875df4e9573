import type { Database } from "./database.ts";
import { isTrouble } from "./trouble.ts";

/**
 * Sends hints, each in a transaction of its own: one at once, and of those that follow within `everyMs` one at the end. A hint that
 * could not be sent is a pause of polling for somebody, and no reason to fail.
 */
export function hinter(
  database: Database,
  tell: (error: unknown) => void = () => undefined,
  everyMs = 20,
): () => void {
  let waiting = false;
  let again = false;
  const send = () => {
    waiting = true;
    again = false;
    database.call("hint_work").catch((error) => isTrouble(error) ? undefined : tell(error));
    setTimeout(() => {
      waiting = false;
      if (again) send();
    }, everyMs);
  };
  return () => {
    if (waiting) again = true;
    else send();
  };
}
