import type { Handler } from "./app.tsx";
import type { Listener } from "./admission.ts";

export interface Served {
  url: string;
  close(): Promise<void>;
}

export class PortTaken extends Error {
  override readonly name = "PortTaken";
}

/** Listens on the one address that was found to be safe; a port that is taken is a sentence. */
export function serve(handlerOf: (listener: Listener) => Handler, listener: Listener): Served {
  const { hostname, port } = listener;
  let server: Deno.HttpServer<Deno.NetAddr>;
  // The Host that is let in has the port that was given, which is known once it listens.
  let handler: Handler | null = null;
  try {
    server = Deno.serve(
      { hostname, port, onListen() {} },
      (request, { remoteAddr }) => {
        handler ??= handlerOf({ ...listener, port: server.addr.port });
        return handler(request, remoteAddr.hostname);
      },
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new PortTaken(`port ${port} is taken by another program; set COMMAND_CENTER_PORT.`);
  }
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return { url: `http://${host}:${server.addr.port}/command`, close: () => server.shutdown() };
}
