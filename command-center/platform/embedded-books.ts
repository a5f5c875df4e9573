import type { Ask, Books } from "./books.ts";

/** What is asked of PGlite, which belongs to `npm start`. */
export interface EmbeddedSession {
  transaction<T>(
    work: (tx: {
      exec(text: string): Promise<unknown>;
      query(text: string, params?: unknown[]): Promise<{ rows: unknown[] }>;
    }) => Promise<T>,
  ): Promise<T>;
}

/** A plan that scans is right for a page that shows everything; the session's own workers are told not to. */
const opening =
  "set transaction read only; set local role command_center; set local enable_seqscan = on";

/** The embedded database has one session: a transaction with `set local role` gives it back as it was. */
export function embeddedBooks(session: EmbeddedSession): Books {
  return {
    kind: "embedded",
    read: (work) =>
      session.transaction(async (tx) => {
        await tx.exec(opening);
        const ask: Ask = async (question, params) => (await tx.query(question, params)).rows;
        return await work(ask);
      }),
    close: () => Promise.resolve(),
  };
}
