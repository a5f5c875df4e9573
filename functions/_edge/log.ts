import { mask } from "../_domain/mask.ts";
import { clean } from "../_domain/telegram-text.ts";

/** Where a log line goes; the stack passes console.log, a test passes an array's push. */
export type LogSink = (line: string) => void;

/** What a handler may tell about a request. Only identifiers and codes: never a payload, never a secret. */
export interface Facts {
  task_id?: string;
  step_id?: string;
  outcome?: string;
  code?: string;
}

export interface LogLine extends Facts {
  function: string;
  status: number;
  ms: number;
  /** Of an unexpected error alone, masked. */
  error?: string;
}

const noted = new WeakMap<Request, Facts>();

/** Adds facts to the line that will be written for this request. */
export function note(request: Request, facts: Facts): void {
  noted.set(request, { ...noted.get(request), ...facts });
}

export const factsOf = (request: Request): Facts => noted.get(request) ?? {};

// Tasks and steps alone, by their exact shape: a token looks like an identifier, too, and is not written at all.
const identifier = (id: string | undefined): string | null =>
  id !== undefined &&
    /^(?:T-\d{4}-\d{2}-\d{2}-\d{4,9}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(id)
    ? id
    : null;

/** Outcomes and codes are words of ours; anything else is masked before it is shown. */
const word = (text: string | undefined): string | undefined =>
  text === undefined || /^[a-z_]{1,64}$/.test(text) ? text : clean(mask(text)).slice(0, 200);

/** One JSON object per request. The correlation id is `task_id`; what is not known is null, never left out. */
export function writeLog(sink: LogSink, now: Date, line: LogLine): void {
  const { function: name, outcome, code, task_id, step_id, ms, status, error } = line;
  sink(JSON.stringify({
    ts: now.toISOString(),
    function: name,
    outcome: word(outcome) ?? (status < 400 ? "ok" : status < 500 ? "refused" : "error"),
    code: word(code) ?? null,
    task_id: identifier(task_id),
    step_id: identifier(step_id),
    ms,
    status,
    ...(error === undefined ? {} : { error: clean(mask(error)).slice(0, 2000) }),
  }));
}
