import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Books } from "../../../command-center/platform/books.ts";
import { embeddedBooks } from "../../../command-center/platform/embedded-books.ts";
import { guardedBooks } from "../../../command-center/platform/guarded-books.ts";
import { commandCenter, type Handler } from "../../../command-center/server/app.tsx";
import type { OutsideSources } from "../../../command-center/server/look.ts";
import { staticFiles } from "../../../command-center/server/static-files.ts";
import type { TestDatabase } from "../../support/database.ts";

export const clock = () => new Date();

/** The pages over a test's database, as `npm start` wires them. */
export const booksOf = (db: TestDatabase): Books =>
  guardedBooks(embeddedBooks({ transaction: (work) => db.pg.transaction(work) }), clock);

/** A database that nobody can ask. */
export const deafBooks: Books = {
  kind: "postgres",
  read: () => Promise.reject(Object.assign(new Error("no"), { code: "ECONNREFUSED" })),
  close: () => Promise.resolve(),
};

const files = () =>
  staticFiles((name) =>
    readFile(new URL(`../../../command-center/static/${name}`, import.meta.url), "utf8")
  );

export async function handlerOf(
  books: Books,
  outside: OutsideSources,
  port: number,
): Promise<Handler> {
  return commandCenter({
    books,
    outside,
    files: await files(),
    listener: { hostname: "127.0.0.1", port, network: "loopback", name: null },
    clock,
  });
}

/** Asks a handler without a socket; `peer` is where the connection would come from. */
export async function asking(books: Books, outside: OutsideSources) {
  const handler = await handlerOf(books, outside, 54380);
  return (path: string, init: RequestInit = {}, peer = "127.0.0.1"): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (!headers.has("host")) headers.set("host", "127.0.0.1:54380");
    return handler(new Request(`http://127.0.0.1:54380${path}`, { ...init, headers }), peer);
  };
}

export interface Served {
  url: string;
  close(): Promise<void>;
}

/** The same on a socket of loopback, for a browser. */
export async function served(books: Books, outside: OutsideSources): Promise<Served> {
  const held: { handler: Handler | null } = { handler: null };
  const server: Server = createServer(async (request, response) => {
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) {
      for (const one of [value].flat()) if (one !== undefined) headers.append(name, one);
    }
    const url = `http://${request.headers.host}${request.url}`;
    const asked = new Request(url, { method: request.method, headers });
    const answer = await held.handler!(asked, request.socket.remoteAddress ?? "");
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  held.handler = await handlerOf(books, outside, port);
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
