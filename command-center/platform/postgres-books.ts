import postgres from "postgres";
import type { Ask, Books } from "./books.ts";

/**
 * A Postgres of your own, reached by a login that may become `command_center`. The role and the refusal to write are
 * startup parameters: a connection that cannot take them does not open.
 */
export function postgresBooks(url: string): Books {
  const sql = postgres(url, {
    max: 4,
    connect_timeout: 5,
    idle_timeout: 60,
    fetch_types: false,
    onnotice: () => {},
    connection: {
      role: "command_center",
      default_transaction_read_only: true,
      statement_timeout: 5000,
      // Many small questions: compiling one takes longer than any of them.
      jit: "off",
      application_name: "dynamic-ags command center",
    },
  });
  return {
    kind: "postgres",
    async read<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
      const told: { value?: T } = {};
      await sql.begin("read only", async (tx) => {
        const ask: Ask = async (question, params = []) => [
          ...await tx.unsafe(question, params as never[], { prepare: true }),
        ];
        told.value = await work(ask);
      });
      if (!("value" in told)) throw new Error("the transaction ended without an answer");
      return told.value as T;
    },
    close: () => sql.end({ timeout: 5 }),
  };
}
