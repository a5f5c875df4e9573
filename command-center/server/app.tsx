import { Hono } from "npm:hono@4.13.19";
import { compress } from "npm:hono@4.13.19/compress";
import type { Frame } from "../html/frame.tsx";
import { AgentsPage } from "../pages/agents.tsx";
import { BoardPage } from "../pages/board.tsx";
import { BriefPage } from "../pages/brief.tsx";
import { CronPage } from "../pages/cron.tsx";
import { KpisPage } from "../pages/kpis.tsx";
import { MemoryPage } from "../pages/memory.tsx";
import { MissingPage } from "../pages/missing.tsx";
import { ReviewsPage } from "../pages/reviews.tsx";
import { TaskPage } from "../pages/task.tsx";
import type { Books } from "../platform/books.ts";
import { platformKpis } from "../platform/kpis.ts";
import { max_age_s, platformReader, postgres } from "../platform/reader.ts";
import { platformTask } from "../platform/task.ts";
import { type Figure, figureOf } from "../truth/figure.ts";
import { blind, seen } from "../truth/reading.ts";
import { askedOf } from "../views/asked.ts";
import { briefOf } from "../views/brief.ts";
import { kpiView } from "../views/kpis.ts";
import { taskView } from "../views/task.ts";
import { type Listener, refusalOf } from "./admission.ts";
import { headers } from "./headers.ts";
import {
  listen,
  type Look,
  lookAtAgents,
  lookAtAll,
  lookAtBoard,
  lookAtJobs,
  lookAtReviews,
  type OutsideSources,
} from "./look.ts";
import type { StaticFiles } from "./static-files.ts";

export interface Parts {
  books: Books;
  outside: OutsideSources;
  files: StaticFiles;
  listener: Listener;
  clock: () => Date;
}

/** `(request, peer) → Response`: whoever listens passes the address that the connection came from. */
export type Handler = (request: Request, peer: string) => Promise<Response>;

const plain = (status: number, text: string, more: Record<string, string> = {}): Response =>
  new Response(`${text}\n`, {
    status,
    headers: { ...headers, "content-type": "text/plain; charset=utf-8", ...more },
  });

export function commandCenter(parts: Parts): Handler {
  const pages = pagesOf(parts);
  return async (request, peer) => {
    const refusal = refusalOf(request, peer, parts.listener);
    if (refusal !== null) return plain(403, `Not answered: ${refusal}.`);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plain(405, "Only GET and HEAD: nothing can be changed here.", { allow: "GET, HEAD" });
    }
    return await pages.fetch(request);
  };
}

function pagesOf({ books, outside, files, clock }: Parts): Hono {
  const app = new Hono();
  app.use(compress());
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
  });
  const lookOf = (request: Request): Look => ({
    books,
    outside,
    now: clock(),
    asked: askedOf(new URL(request.url)),
  });
  const frameOf = async ({ asked, now }: Look): Promise<Frame> => ({
    asked,
    now,
    snapshot: snapshotOf(now),
    database: await databaseOf(books, now),
  });

  app.get("/", (context) => context.redirect("/command"));
  app.get("/command", async (context) => {
    const look = lookOf(context.req.raw);
    const [frame, views] = await Promise.all([frameOf(look), lookAtAll(look)]);
    return context.html(<BriefPage frame={frame} brief={briefOf(views)} />);
  });
  app.get("/command/agents", async (context) => {
    const look = lookOf(context.req.raw);
    const [frame, view] = await Promise.all([frameOf(look), lookAtAgents(look)]);
    return context.html(
      <AgentsPage frame={frame} view={view} gateway={notConnected("gateway")} />,
    );
  });
  app.get("/command/reviews", async (context) => {
    const look = lookOf(context.req.raw);
    const [frame, view] = await Promise.all([frameOf(look), lookAtReviews(look)]);
    return context.html(<ReviewsPage frame={frame} view={view} />);
  });
  app.get("/command/cron", async (context) => {
    const look = lookOf(context.req.raw);
    const [frame, view] = await Promise.all([frameOf(look), lookAtJobs(look)]);
    return context.html(<CronPage frame={frame} view={view} />);
  });
  app.get("/command/board", async (context) => {
    const look = lookOf(context.req.raw);
    const [frame, view] = await Promise.all([frameOf(look), lookAtBoard(look)]);
    return context.html(<BoardPage frame={frame} view={view} />);
  });
  app.get("/command/kpis", async (context) => {
    const look = lookOf(context.req.raw);
    const [frame, reading] = await Promise.all([
      frameOf(look),
      listen(platformKpis(books, look.asked.window), look.now),
    ]);
    return context.html(<KpisPage frame={frame} view={kpiView(reading)} />);
  });
  app.get("/command/memory", async (context) => {
    const frame = await frameOf(lookOf(context.req.raw));
    return context.html(<MemoryPage frame={frame} review={notConnected("memory")} />);
  });
  app.get("/command/tasks/:id", async (context) => {
    const look = lookOf(context.req.raw);
    const id = context.req.param("id");
    const [frame, reading] = await Promise.all([
      frameOf(look),
      listen(platformTask(books, id), look.now),
    ]);
    if (reading.status !== "unknown" && reading.value.length === 0) {
      return context.html(<MissingPage frame={frame} what="No task has this number." />, 404);
    }
    return context.html(<TaskPage frame={frame} view={taskView(reading, id, look.now)} />);
  });
  app.get("/command/static/:name", (context) => {
    const file = files.get(context.req.param("name"));
    if (file === undefined) return context.notFound();
    return context.body(file.text, 200, { "content-type": file.type });
  });
  app.notFound(async (context) => {
    const frame = await frameOf(lookOf(context.req.raw));
    return context.html(<MissingPage frame={frame} what="There is no such page." />, 404);
  });
  app.onError((error) => {
    console.error(JSON.stringify({ surface: "command-center", error: error.name }));
    return plain(500, "This page could not be made. Nothing is known from that.");
  });
  return app;
}

/** When this page was made, which its own clock says. */
const snapshotOf = (now: Date): Figure<string> =>
  figureOf(
    seen({ source: "this page", now, observed_at: now, max_age_s: 60, value: now }),
    (at) => `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`,
  );

async function databaseOf(books: Books, now: Date): Promise<Figure<string>> {
  const reading = await listen(platformReader(books, () => Promise.resolve(books.kind)), now);
  return figureOf(reading, (kind) => kind, { id: postgres });
}

/** Honest about what is not there: it has no source, so it is not known. */
const notConnected = (source: string): Figure<number> =>
  figureOf(blind({ source, max_age_s, reason: "not connected" }), () => 0);
