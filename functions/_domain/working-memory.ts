import { z } from "zod";

/** What a task keeps at hand, for 24 to 48 hours. A key that lives keeps its value. */
export const memory = z.object({
  key: z.string(),
  task_id: z.string().nullable(),
  value: z.json(),
  expires_at: z.string(),
  expires_in_ms: z.number().min(0),
});
export type Memory = z.infer<typeof memory>;

export interface ToRemember {
  key: string;
  task_id: string;
  value: Memory["value"];
  /** Below 24 it is 24, above 48 it is 48. */
  hours?: number;
}

/** Short-term memory. Whatever is missing here can be made anew from what is on record, so a caller always can go on. */
export interface WorkingMemory {
  recall(key: string): Promise<Memory | null>;
  /** The value that the key has from now on: the given one, or the one that it has already. Null when it was refused. */
  remember(item: ToRemember): Promise<Memory | null>;
  /** False where a copy may outlive it until its time is over; ask again then. */
  forget(key: string): Promise<boolean>;
}
