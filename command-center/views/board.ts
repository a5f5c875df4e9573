import { type CardFact, type Lane, lanes } from "../facts/card.ts";
import { laneOf } from "../projection/lane.ts";
import { derive, type Figure, figureOf } from "../truth/figure.ts";
import { spoken } from "../truth/judge.ts";
import type { Reading } from "../truth/reading.ts";
import { type Asked, matches, sorted } from "./asked.ts";
import type { Level } from "./level.ts";
import { type Note, noteOf, telling } from "./telling.ts";

export interface CardRow {
  key: string;
  level: Level;
  lane: Lane;
  order: Record<string, string | number>;
  whose: Figure<string>;
  id: Figure<string>;
  title: Figure<string>;
  assignee: Figure<string>;
  age: Figure<string>;
  quiet_for: Figure<string>;
  labels: Figure<string>;
  blocked: Figure<string> | null;
  ambiguous: Figure<string> | null;
}

export interface LaneView {
  lane: Lane;
  /** How many there are; the cards are the first of them. */
  count: Figure<number>;
  hidden: Figure<number>;
  /** Nobody could be asked, or not everybody: an empty lane is then no empty lane. */
  cards: CardRow[];
}

export interface BoardView {
  lanes: LaneView[];
  ambiguous: Figure<number>;
  notes: Note[];
}

const cards_shown = 25;

export function boardView(
  readings: readonly Reading<readonly CardFact[]>[],
  asked: Asked,
  now: Date,
): BoardView {
  const found: { row: CardRow; more: number; figure: Figure<number> }[] = [];
  for (const reading of readings) {
    if (reading.status === "unknown") continue;
    for (const fact of reading.value) {
      const { lane, ambiguous } = laneOf(fact);
      if (lane === null && ambiguous.length === 0) continue;
      // The platform's own search ran in the database, which sees every task; the others are searched here.
      const wanted = fact.owner === "task" ||
        matches(asked.search, fact.title, fact.id, ...fact.assignees, ...fact.labels);
      if (!wanted || (asked.tier !== null && fact.owner !== "task")) continue;
      const row = rowOf(reading, fact, lane ?? "blocked", ambiguous, now);
      found.push({ row, more: fact.more ?? 0, figure: figureOf(reading, () => 1) });
    }
  }
  const notes = readings.map((reading) => noteOf(reading, "cards"));
  const counted = (rows: typeof found): Figure<number> =>
    derive(notes, rows.reduce((sum, { more }) => sum + 1 + more, 0));
  return {
    lanes: lanes.filter((lane) => asked.only === null || asked.only === lane).map((lane) => {
      const here = found.filter(({ row }) => row.lane === lane);
      const rows = sorted(here.map(({ row }) => row), asked.sort, "newest");
      const cards = rows.slice(0, cards_shown);
      const hidden = here.reduce((sum, { more }) => sum + 1 + more, 0) - cards.length;
      return { lane, count: counted(here), hidden: derive(notes, hidden), cards };
    }),
    ambiguous: counted(found.filter(({ row }) => row.ambiguous !== null)),
    notes,
  };
}

function rowOf(
  reading: Reading<unknown>,
  fact: CardFact,
  lane: Lane,
  ambiguous: readonly string[],
  now: Date,
): CardRow {
  const say = telling(reading, { id: fact.id, href: fact.href });
  const since = (at: string) => spoken((now.getTime() - Date.parse(at)) / 1000);
  const created = Date.parse(fact.created_at);
  return {
    key: fact.id.replaceAll(/[^A-Za-z0-9_-]+/g, "-"),
    level: ambiguous.length > 0 ? "unknown" : lane === "blocked" ? "amber" : "quiet",
    lane,
    order: { newest: -created, oldest: created, title: fact.title },
    whose: say(
      fact.owner === "task" ? "task of the platform" : `issue of ${fact.repo ?? "a forge"}`,
    ),
    id: say(fact.id, { leads: true }),
    title: say(fact.title, { leads: true }),
    assignee: say(fact.assignees.join(", ") || "nobody"),
    age: say(since(fact.created_at)),
    quiet_for: say(fact.last_activity_at === null ? null : since(fact.last_activity_at)),
    labels: say([...fact.labels, ...fact.milestone ? [fact.milestone] : []].join(", ") || "none"),
    blocked: fact.blocked_by === null ? null : say(fact.blocked_by),
    ambiguous: ambiguous.length === 0 ? null : say(ambiguous.join("; ")),
  };
}
