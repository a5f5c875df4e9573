import { guardedBooks } from "./platform/guarded-books.ts";
import type { Books } from "./platform/books.ts";
import { configurationOf, readConfiguration } from "./sources/configuration/read.ts";
import { outsideSources } from "./sources/outside.ts";
import type { Listener } from "./server/admission.ts";
import { commandCenter } from "./server/app.tsx";
import { serve, type Served } from "./server/serve.ts";
import { staticFiles } from "./server/static-files.ts";

export interface Start {
  books: Books;
  listener: Listener;
  /** The file that names the outside sources; null where there are none. */
  config: string | null;
  variable: (name: string) => string | undefined;
}

/** Wires the pages to their sources and listens. What is wrong with the configuration is thrown before anything listens. */
export async function startCommandCenter(
  { books, listener, config, variable }: Start,
): Promise<Served> {
  const configuration = config === null
    ? configurationOf("", ".")
    : await readConfiguration(config);
  const outside = outsideSources(configuration, { fetch, variable });
  const clock = () => new Date();
  const files = await staticFiles((name) =>
    Deno.readTextFile(new URL(`static/${name}`, import.meta.url))
  );
  const guarded = guardedBooks(books, clock);
  return serve(
    (listener) => commandCenter({ books: guarded, outside, files, listener, clock }),
    listener,
  );
}
