import { memory, type WorkingMemory } from "../_domain/working-memory.ts";
import type { Database } from "./database.ts";

/** The short-term memory of the database: the truth, and all there is where no Redis is configured. */
export const databaseMemory = (
  database: Pick<Database, "call">,
  actor: string,
): WorkingMemory => ({
  async recall(key) {
    return memory.nullable().parse(await database.call("recall", { p_key: key }));
  },
  async remember({ key, task_id, value, hours = 24 }) {
    const answer = await database.call<{ refused?: string }>("remember", {
      p_key: key,
      p_task_id: task_id,
      p_value: value,
      p_hours: hours,
      p_actor: actor,
    });
    return answer.refused === undefined ? memory.parse(answer) : null;
  },
  async forget(key) {
    await database.call("forget", { p_key: key, p_actor: actor });
    return true;
  },
});
