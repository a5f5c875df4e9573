/** One JSON object per line: when, who, what happened, and what belongs to it. */
export type Journal = (event: string, fields?: Record<string, unknown>) => void;

export const journalOf =
  (worker: string, write: (line: string) => void, now: () => Date): Journal =>
  (event, fields = {}) =>
    write(JSON.stringify({ ts: now().toISOString(), worker, event, ...fields }));
