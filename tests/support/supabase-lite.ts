import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { vi } from "vitest";
import type { Database } from "../../functions/_database/database.ts";
import {
  type Signatures,
  signaturesFrom,
  signaturesQuery,
} from "../../functions/_database/call-statement.ts";
import { supabaseDatabase } from "../../functions/_database/supabase-database.ts";
import type { NativeDatabase } from "./native.ts";

// Keys of the gateway's form; they open nothing but the gateway that this file makes.
const secretKey = `sb_secret_${"s".repeat(22)}_${"0".repeat(8)}`;
const publishableKey = `sb_publishable_${"p".repeat(22)}_${"0".repeat(8)}`;

export interface Gateway {
  database: Database;
  /** The same door with the key that browsers have: what the internet can reach. */
  stranger: Database;
}

/**
 * supabase-js as a deployed function uses it, against a server that speaks PostgREST: requests go through its handler
 * in this process, statements through the `postgres` driver to a real PostgreSQL. On PGlite this server has no session
 * lock and mixes up its users, so it is never used there.
 */
export async function openGateway(native: NativeDatabase): Promise<Gateway> {
  // It logs whatever the database refuses, and refusals are what is tested here.
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const owner = serverOn(native.ownerUrl);
  await owner.app.ensureSystemSchema();
  await owner.connection.close();

  const { app, connection } = serverOn(native.gatewayUrl);
  const signatures = signaturesFrom(await native.as("migrator", signaturesQuery));
  const fetchHere: typeof fetch = async (input, init) =>
    app.fetch(await wrapped(new Request(input, init), signatures));
  const client = (key: string) =>
    supabaseDatabase("http://gateway.test", key, {
      fetch: fetchHere,
      // Node 20 has no WebSocket, which supabase-js asks for even where nothing is subscribed.
      realtime: { transport: class {} as never },
    });
  return {
    database: { ...client(secretKey), close: () => connection.close() },
    stranger: client(publishableKey),
  };
}

function serverOn(url: string) {
  const connection = createPostgresConnection({
    url,
    postgresOptions: {
      onnotice: () => {},
      types: {
        json: { to: 114, from: [114], serialize: unwrapped, parse: JSON.parse },
        jsonb: { to: 3802, from: [3802], serialize: unwrapped, parse: JSON.parse },
      },
    },
  });
  // Unless told that row-level security is set up, it would "help" by granting every table to anon.
  Object.assign(connection, { rlsState: "active" });
  connection.normalizeDbError = withItsOwnCode;
  const config = {
    connection,
    api: { enabled: true, schemas: ["api"], extra_search_path: [] },
    auth: { enabled: false, publishable_key: publishableKey, secret_key: secretKey },
  };
  // The declared type asks for every section of its configuration file; what is left out has a default.
  return { connection, app: new App(config as never) };
}

/*
 * Where this gateway is not PostgREST, it is helped along, so that the transport is tested and not the gateway:
 * it turns every argument into text before it reaches the driver, which cannot tell 7 from "7" then, and it answers
 * 500 without a code where it does not know the SQLSTATE.
 */
async function wrapped(request: Request, signatures: Signatures): Promise<Request> {
  const types = signatures.get(new URL(request.url).pathname.split("/rpc/")[1] ?? "");
  if (request.method !== "POST" || !types) return request;
  const args = Object.entries(await request.clone().json()).map(([name, value]) =>
    types.get(name) === "jsonb" && value !== null ? [name, { json: value }] : [name, value]
  );
  const body = JSON.stringify(Object.fromEntries(args));
  return new Request(request.url, { method: "POST", headers: request.headers, body });
}

const unwrapped = (value: unknown): string =>
  JSON.stringify(typeof value === "string" ? JSON.parse(value).json : value);

function withItsOwnCode(error: unknown): unknown {
  const { code, message, detail, hint } = error as Record<string, string | undefined>;
  if (!code || !/^(AG[A-Z0-9]{3}|23514)$/.test(code)) return error;
  return Object.assign(new Error(message), {
    code: "PGRST",
    message: JSON.stringify({ code, message, details: detail ?? null, hint: hint ?? null }),
    detail: JSON.stringify({ status: 400, headers: {} }),
  });
}
