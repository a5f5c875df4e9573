import type { Database } from "../../functions/_database/database.ts";
import { refuse } from "../../functions/_edge/respond.ts";
import type { Handler } from "./functions.ts";
import { Sentence } from "./sentence.ts";

export interface Server {
  port: number;
  /** Takes no new request and waits for those under way. */
  close(): Promise<void>;
}

const hostname = "127.0.0.1";

/** Serves `/functions/v1/<name>/…` (and `/<name>/…`, as the platform passes it on) on this machine alone. */
export function serve(functions: Map<string, Handler>, port: number): Server {
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({ hostname, port, onListen() {} }, (request) => route(functions, request));
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new Sentence(
      `Port ${port} is taken by another program. Stop that one, or set PORT to another number.`,
    );
  }
  return { port: server.addr.port, close: () => server.shutdown() };
}

async function route(functions: Map<string, Handler>, request: Request): Promise<Response> {
  const [first, second, third] = new URL(request.url).pathname.split("/").slice(1);
  const name = first === "functions" && second === "v1" ? third : first;
  const handler = functions.get(name ?? "");
  return handler === undefined ? refuse("not_found") : await handler(request);
}

interface Identity {
  role: string;
  superuser: boolean;
  writable_tables: string[];
}

/** Whoever could write a table directly is not served: every rule of this house lives in the functions of `api`. */
export async function requireLeastPrivilege(
  { database }: { database: Database },
): Promise<void> {
  const { role, superuser, writable_tables } = await database.call<Identity>(
    "runtime_identity",
  );
  if (role === "service_role" && !superuser && writable_tables.length === 0) return;
  const found = [
    role === "service_role" ? "" : `the role is ${role}`,
    superuser ? "it is a superuser" : "",
    writable_tables.length === 0 ? "" : `it can write ${writable_tables.slice(0, 5).join(", ")}`,
  ].filter(Boolean).join(", ");
  throw new Sentence(
    `Not serving (least_privilege): calls must run as service_role and write through functions alone, but ${found}. ` +
      "Revoke that, or connect with another login.",
  );
}
