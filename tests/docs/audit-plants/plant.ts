/**
 * For each query of docs/audit a fault planted by SQL, past every guard, and what the query must then say.
 * A query that lists shows the planted row; one that finds names it and was silent before.
 */
export interface Plant {
  query: string;
  fault: string;
  sql: string[];
  /** A column of one row, and what it matches. */
  shows: [column: string, pattern: RegExp];
}

export const effect =
  "(select effect_id from public.effects where channel = 'telegram' order by seq limit 1)";
export const task =
  "(select task_id from public.effects where channel = 'telegram' order by seq limit 1)";
export const step = (node: string) =>
  `(select step_id from public.task_steps where task_id = ${task} and node_id = '${node}')`;

export const finding = (query: string, pattern: RegExp, ...sql: string[]): Plant => ({
  query,
  fault: pattern.source,
  sql,
  shows: ["finding", pattern],
});
export const listing = (
  query: string,
  column: string,
  pattern: RegExp,
  ...sql: string[]
): Plant => ({
  query,
  fault: `${column} ${pattern.source}`,
  sql,
  shows: [column, pattern],
});

export const copyOfEvent = (key: string) =>
  `insert into public.events (task_id, type, agent, idempotency_key, schema_version)
   select task_id, type, agent, ${key}, schema_version from public.events where type = 'PUBLISH_OK' limit 1`;
export const copyOfReceipt = (more: string) =>
  `insert into public.event_receipts (received_at, source, source_name, body_sha256, body, task_id, idempotency_key, outcome)
   select received_at + ${more}, source, source_name, body_sha256, body, task_id, idempotency_key || ':2', outcome
   from public.event_receipts where outcome = 'accepted' and source_event_id is null order by receipt_id limit 1`;
