import { derive, type Figure } from "../truth/figure.ts";
import type { AgentView } from "./agents.ts";
import type { BoardView } from "./board.ts";
import type { JobView } from "./jobs.ts";
import { type Level, urgency, worst } from "./level.ts";
import type { ReviewView } from "./reviews.ts";
import type { Note } from "./telling.ts";

export interface FourViews {
  agents: AgentView;
  reviews: ReviewView;
  jobs: JobView;
  board: BoardView;
}

/** One thing that wants a person, with the exact object that it is about. */
export interface Item {
  key: string;
  level: Level;
  from: "agent health" | "review queue" | "cron state" | "task board";
  what: Figure<string>;
  state: Figure<string>;
  why: Figure<string>;
}

export interface Tile {
  name: string;
  href: string;
  level: Level;
  value: Figure<string>;
}

export interface Brief {
  overall: { level: Level; value: Figure<string> };
  /** The five elements, in this order. */
  tiles: Tile[];
  items: Item[];
  /** Sources that cannot be seen at all, and those that can be seen in part or late. */
  blind: Note[];
  doubtful: Note[];
}

/** A pure function of the other four views: it asks nobody and keeps nothing. */
export function briefOf(views: FourViews): Brief {
  const items = itemsOf(views).sort((a, b) => urgency(a.level) - urgency(b.level));
  const notes = notesOf(views);
  const blind = notes.filter(({ freshness }) => freshness === "unknown");
  const doubtful = notes.filter(({ freshness }) =>
    freshness === "stale" || freshness === "degraded"
  );
  const tiles = tilesOf(views);
  const level = worst([
    ...items.map((item) => item.level),
    ...tiles.map((tile) => tile.level),
    ...blind.map((): Level => "unknown"),
    ...doubtful.map((): Level => "amber"),
  ]);
  const words: Record<Level, string> = {
    red: "something is red",
    amber: "something is degraded",
    unknown: "not everything can be seen",
    quiet: "nothing is wrong",
    good: "nothing is wrong",
  };
  return {
    overall: { level, value: derive(notes, words[level]) },
    tiles: [
      {
        name: "Overall health",
        href: "/command",
        level,
        value: derive(notes, words[level]),
      },
      ...tiles,
    ],
    items,
    blind,
    doubtful,
  };
}

/** Each source once, as the view that needs it most heard it. */
function notesOf({ agents, reviews, jobs, board }: FourViews): Note[] {
  const all = [
    ...agents.notes,
    ...agents.alarm_notes,
    ...reviews.pull_notes,
    ...reviews.request_notes,
    ...jobs.notes,
    ...board.notes,
  ];
  const rank = ["live", "stale", "degraded", "unknown"];
  const worstOf = new Map<string, Note>();
  for (const note of all) {
    const known = worstOf.get(note.source);
    if (!known || rank.indexOf(note.freshness) > rank.indexOf(known.freshness)) {
      worstOf.set(note.source, note);
    }
  }
  return [...worstOf.values()];
}

const wants = ({ level }: { level: Level }): boolean =>
  level === "red" || level === "amber" || level === "unknown";

function itemsOf({ agents, reviews, jobs, board }: FourViews): Item[] {
  return [
    ...agents.alarms.filter(wants).map(({ key, level, what, about, more }): Item => ({
      key,
      level,
      from: "agent health",
      what: anchored(about, `/command/agents#${anchor(key)}`),
      state: what,
      why: more,
    })),
    ...agents.rows.filter(wants).map(({ key, level, name, state, failure, picture }): Item => ({
      key,
      level,
      from: "agent health",
      what: anchored(name, `/command/agents#${anchor(key)}`),
      state,
      why: failure.value === "none" ? picture : failure,
    })),
    ...[...reviews.requests, ...reviews.pulls].filter(wants).map((row): Item => ({
      key: row.key,
      level: row.level,
      from: "review queue",
      what: row.title,
      state: row.where,
      why: row.why,
    })),
    ...jobs.rows.filter(wants).map((row): Item => ({
      key: row.key,
      level: row.level,
      from: "cron state",
      what: row.name,
      state: row.state,
      why: row.drift.value === "none" ? row.reason : row.drift,
    })),
    ...board.lanes.flatMap(({ cards }) => cards).filter(wants).map((card): Item => ({
      key: card.key,
      level: card.level,
      from: "task board",
      what: card.title,
      state: derive([card.id], card.ambiguous ? "ambiguous" : card.lane),
      why: card.ambiguous ?? card.blocked ?? card.quiet_for,
    })),
  ];
}

export const anchor = (key: string): string => key.replaceAll(/[^A-Za-z0-9_-]+/g, "-");

/** What it is about, with the address of the exact object. */
const anchored = (figure: Figure<string>, href: string): Figure<string> =>
  figure.at(figure.href ?? href);

function tilesOf({ agents, reviews, jobs, board }: FourViews): Tile[] {
  const requests = reviews.requests.length;
  const judgement =
    [...reviews.requests, ...reviews.pulls].filter(({ kind }) => kind === "judgement").length;
  const lane = (name: string) => board.lanes.find((one) => one.lane === name)?.count.value ?? null;
  const troubled = jobs.rows.filter(wants);
  const paused = jobs.rows.filter(({ state_word }) => state_word === "paused").length;
  const unwell = agents.rows.filter(wants);
  const reviewNotes = [...reviews.request_notes, ...reviews.pull_notes];
  const queue = lane("unassigned") === null
    ? null
    : `unassigned ${lane("unassigned")}, assigned ${lane("assigned")}, in progress ${
      lane("in progress")
    }, blocked ${lane("blocked")}`;
  return [
    {
      name: "Review pressure",
      href: "/command/reviews",
      level: levelOf(reviewNotes, [...reviews.requests, ...reviews.pulls]),
      value: derive(
        reviewNotes,
        `requests ${requests}, pull requests ${reviews.pulls.length}, of these need judgement ${judgement}`,
      ),
    },
    {
      name: "Queue pressure",
      href: "/command/board",
      level: levelOf(board.notes, board.lanes.flatMap(({ cards }) => cards)),
      value: derive(board.notes, queue),
    },
    {
      name: "Cron failures and pauses",
      href: "/command/cron",
      level: levelOf(jobs.notes, jobs.rows),
      value: derive(
        jobs.notes,
        `want a look ${troubled.length} of ${jobs.rows.length}, of these paused ${paused}`,
      ),
    },
    {
      name: "Agents and services",
      href: "/command/agents",
      level: levelOf(agents.notes, agents.rows),
      value: derive(
        agents.notes,
        `down, degraded, stale or not seen ${unwell.length} of ${agents.rows.length}`,
      ),
    },
  ];
}

/** Green needs every source of the view live; nothing to show from a blind source is not nothing. */
function levelOf(notes: readonly Note[], rows: readonly { level: Level }[]): Level {
  const seen = notes.map(({ freshness }): Level =>
    freshness === "live" ? "good" : freshness === "unknown" ? "unknown" : "amber"
  );
  return worst([...seen, ...rows.map(({ level }) => level)]);
}
