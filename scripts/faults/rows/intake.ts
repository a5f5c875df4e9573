import { handle, type IntakeDeps } from "../../../functions/intake/handler.ts";
import type { FaultedDatabase } from "../faulted-database.ts";

/** The door of intake in this process, on a real database: what it leaves behind in memory can be looked at. */
export const doorOf = (db: FaultedDatabase, more: Partial<IntakeDeps> = {}) => {
  const deps: IntakeDeps = {
    payments: { webhook_token: null, wallet: null, ton: null },
    broker: { verify: null },
    database: db.database,
    tokens: [{ name: "desk", token: "desk-token" }],
    service_token: "service-token",
    alert_action: "PUBLISH",
    ...more,
  };
  return (path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
    handle(
      new Request(`http://localhost/functions/v1/intake${path}`, { method: "POST", body, headers }),
      deps,
    );
};
