import type { AlertFact, StopFact } from "../facts/alarm.ts";
import type { Sources } from "../facts/sources.ts";
import { platformAgents } from "../platform/agents.ts";
import { platformAlerts, platformStops } from "../platform/alarms.ts";
import type { Books } from "../platform/books.ts";
import { platformCards } from "../platform/cards.ts";
import { platformJobs } from "../platform/jobs.ts";
import { platformRequests } from "../platform/requests.ts";
import { blind, type Reader, type Reading } from "../truth/reading.ts";
import { agentView } from "../views/agents.ts";
import type { Asked } from "../views/asked.ts";
import { boardView } from "../views/board.ts";
import { jobView } from "../views/jobs.ts";
import { reviewView } from "../views/reviews.ts";

export type OutsideSources = Omit<Sources, "requests">;

/** A page waits this long for a source; what has not answered by then is not known. */
const patience_ms = 3_000;

/** Never throws: what a reader could not do is a blind reading with the reason. */
export async function listen<T>(reader: Reader<T>, now: Date): Promise<Reading<T>> {
  const origin = { source: reader.source, max_age_s: 0 };
  const patience = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Reading<T>>((resolve) => {
    timer = setTimeout(() => {
      patience.abort();
      resolve(blind({ ...origin, reason: `no answer within ${patience_ms / 1000} s` }));
    }, patience_ms);
  });
  try {
    return await Promise.race([reader.read(now, patience.signal), late]);
  } catch (error) {
    const reason = error instanceof Error ? error.name : "it failed";
    return blind({ ...origin, reason: `its reader failed (${reason})` });
  } finally {
    clearTimeout(timer);
  }
}

export interface Look {
  books: Books;
  outside: OutsideSources;
  now: Date;
  asked: Asked;
}

const all = <T>(readers: readonly Reader<T>[], now: Date): Promise<Reading<T>[]> =>
  Promise.all(readers.map((reader) => listen(reader, now)));

/** A lane shows so many; the brief names the first of each kind and counts the rest. */
const cards_shown = 25;
const cards_in_brief = 8;

const cardsOf = ({ books, outside, asked, now }: Look, shown: number) =>
  all([
    platformCards(books, {
      search: asked.search,
      tier: asked.tier,
      sort: asked.sort === "oldest" ? "oldest" : "newest",
      shown,
    }),
    ...outside.cards,
  ], now);

export async function lookAtBoard(look: Look, shown = cards_shown) {
  return boardView(await cardsOf(look, shown), look.asked, look.now);
}

export async function lookAtJobs({ books, outside, asked, now }: Look) {
  return jobView(await all([platformJobs(books), ...outside.jobs], now), asked, now);
}

export async function lookAtReviews({ books, outside, asked, now }: Look) {
  const [pulls, requests] = await Promise.all([
    all(outside.pulls, now),
    all([platformRequests(books)], now),
  ]);
  return reviewView(pulls, requests, asked, now);
}

export async function lookAtAgents(look: Look) {
  const { books, outside, asked, now } = look;
  const [agents, cards, alerts, stops] = await Promise.all([
    all([platformAgents(books), ...outside.agents], now),
    // What an agent claims is compared with what the source of the work says; tasks say it themselves.
    all(outside.cards, now),
    listen<readonly AlertFact[]>(platformAlerts(books), now),
    listen<readonly StopFact[]>(platformStops(books), now),
  ]);
  return agentView(agents, cards, alerts, stops, asked, now);
}

/** The brief asks nobody by itself: it is computed from the other four views, unfiltered. */
export async function lookAtAll(look: Look) {
  const whole: Look = {
    ...look,
    asked: { ...look.asked, search: "", only: null, tier: null, sort: null },
  };
  const [agents, reviews, jobs, board] = await Promise.all([
    lookAtAgents(whole),
    lookAtReviews(whole),
    lookAtJobs(whole),
    lookAtBoard(whole, cards_in_brief),
  ]);
  return { agents, reviews, jobs, board };
}
