import postgres from "postgres";
import { openSnapshot } from "../stack/embedded.ts";
import { Sentence } from "../stack/sentence.ts";
import { ask, databaseUrl } from "./holder.ts";
import { type Answer, asCursor, cut, fetchRows, question } from "./question.ts";

/** One question, as role auditor, in a read-only transaction. What Postgres refuses is thrown with its own message. */
export async function askAsAuditor(text: string, limit: number): Promise<Answer> {
  if (text.trim() === "") throw new Sentence("There is no statement.");
  const url = databaseUrl();
  return url === null ? await onSnapshot(text, limit) : await onPostgres(url, text, limit);
}

/**
 * On a copy in this process: a long question holds nobody up, ctrl-C ends it, and whatever got past the role would
 * change nothing but the copy.
 */
async function onSnapshot(text: string, limit: number): Promise<Answer> {
  const path = await ask<string>("snapshot", { compression: "none" });
  const dump = new Blob([await Deno.readFile(path)]);
  await Deno.remove(path);
  const pg = await openSnapshot(dump);
  try {
    return await question(pg, text, limit);
  } finally {
    await pg.close();
  }
}

// The login of DATABASE_URL may be more than an auditor. These are the ways back to it from inside a statement, also
// when their names are escaped or put into a text that a function runs. A real boundary is a login of its own.
const waysBack = /set_config|session_authorization|u&\s*["']|_to_xml|ts_stat|dblink/i;

async function onPostgres(url: string, text: string, limit: number): Promise<Answer> {
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
    connection: { application_name: "dynamic-ags auditor", statement_timeout: 300_000 },
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
