import postgres from "postgres";
import { Sentence } from "../stack/sentence.ts";
import { ask, databaseUrl } from "./holder.ts";
import { type Answer, asCursor, cut, fetchRows, requireQuestion } from "./question.ts";
import type { Answered, Asked } from "./question-worker.ts";

/** A question may be slow where the rows are many and others go on beside it. */
export const defaultSeconds = { embedded: 60, postgres: 300 };

/** One question, as role auditor, in a read-only transaction. What Postgres refuses is thrown with its own message. */
export async function askAsAuditor(
  text: string,
  limit: number,
  seconds: number | null = null,
): Promise<Answer> {
  requireQuestion(text);
  const url = databaseUrl();
  return url === null
    ? await onSnapshot(text, limit, seconds ?? defaultSeconds.embedded)
    : await onPostgres(url, text, limit, seconds ?? defaultSeconds.postgres);
}

/**
 * On a copy in this process: a long question holds nobody up, ctrl-C ends it, and whatever got past the role would
 * change nothing but the copy.
 */
async function onSnapshot(text: string, limit: number, seconds: number): Promise<Answer> {
  const path = await ask<string>("snapshot", { compression: "none" });
  const dump = new Blob([await Deno.readFile(path)]);
  await Deno.remove(path);
  const answered = await inWorker({ dump, text, limit }, seconds);
  if (answered.ok) return answered.answer;
  const { message, code } = answered;
  throw Object.assign(new Error(message), code === undefined ? {} : { code });
}

/** In a thread of its own: while the database computes, no timer of its thread would fire. */
async function inWorker(asked: Asked, seconds: number): Promise<Answered> {
  const worker = new Worker(new URL("./question-worker.ts", import.meta.url), { type: "module" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(tooLong(seconds)), seconds * 1000);
      worker.onmessage = ({ data }: MessageEvent<Answered>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(asked);
    });
  } finally {
    clearTimeout(timer);
    worker.terminate();
  }
}

const tooLong = (seconds: number): Sentence =>
  new Sentence(
    `No answer within ${seconds} seconds: narrow the question, or give it more with --seconds.`,
  );

// The login of DATABASE_URL may be more than an auditor. These are the ways back to it from inside a statement, also
// when their names are escaped or put into a text that a function runs. A real boundary is a login of its own.
const waysBack = /set_config|session_authorization|u&\s*["']|_to_xml|ts_stat|dblink/i;

async function onPostgres(
  url: string,
  text: string,
  limit: number,
  seconds: number,
): Promise<Answer> {
  if (waysBack.test(text)) {
    throw new Sentence(
      "Refused: this statement could change its own role. Use a login that is an auditor and nothing else (docs/security.md).",
    );
  }
  const sql = postgres(url, {
    max: 1,
    connect_timeout: 10,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: "dynamic-ags auditor", statement_timeout: seconds * 1000 },
    types: {
      // Counts as numbers, as the embedded database gives them, while a number can hold them.
      bigint: { to: 20, from: [20], serialize: String, parse: (value: string) => BigInt(value) },
    },
  });
  try {
    return await sql.begin("read only", async (tx) => {
      await tx.unsafe("set local role auditor");
      await tx.unsafe(asCursor(text), [], { simple: false } as never);
      const rows = await tx.unsafe(fetchRows(limit), [], { simple: false } as never).values();
      const columns = (rows as unknown as { columns: { name: string }[] }).columns;
      return cut(columns.map(({ name }) => name), [...rows] as unknown[][], limit);
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}
