import type { Handler } from "./app.tsx";
import type { Listener } from "./admission.ts";

export interface Served {
  url: string;
  close(): Promise<void>;
}

/** Listens on the one address that was found to be safe; a port that is taken is a sentence. */
export function serve(handler: Handler, { hostname, port }: Listener): Served {
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve(
      { hostname, port, onListen() {} },
      (request, { remoteAddr }) => handler(request, remoteAddr.hostname),
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new Error(`Port ${port} is taken by another program: set COMMAND_CENTER_PORT.`);
  }
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return { url: `http://${host}:${server.addr.port}/command`, close: () => server.shutdown() };
}
