import postgres from "postgres";
import type { Database } from "../../functions/_database/database.ts";

export interface Hints {
  /** Whether a hint of our own came back: a pooler in transaction mode takes the LISTEN and delivers nothing. */
  heard: boolean;
  /** Listens anew: a subscription does not survive a server that was away. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

const channel = "dags_work";

/** Listens on a connection of its own. Nothing depends on it: a worker that hears nothing looks by the clock. */
export async function listenForHints(
  url: string,
  database: Database,
  onHint: () => void,
  withinMs = 1_000,
): Promise<Hints> {
  const { promise: first, resolve: arrived } = Promise.withResolvers<boolean>();
  const open = () =>
    postgres(url, {
      max: 1,
      fetch_types: false,
      connect_timeout: 5,
      onnotice: () => {},
      connection: { role: "service_role", application_name: "dynamic-ags hints" },
    });
  let sql = open();
  const listen = () =>
    sql.listen(channel, () => {
      arrived(true);
      onHint();
    });
  const close = () => sql.end({ timeout: 1 });
  await listen();
  const timer = setTimeout(() => arrived(false), withinMs);
  await database.call("hint_work");
  const heard = await first;
  clearTimeout(timer);
  return {
    heard,
    close,
    async renew() {
      await close();
      sql = open();
      await listen();
    },
  };
}
