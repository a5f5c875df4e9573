import type { AgentFact, AgentPicture, AgentState, AgentVerdict } from "../facts/agent.ts";
import type { AlertFact, StopFact } from "../facts/alarm.ts";
import type { CardFact } from "../facts/card.ts";
import { agentState, missed_beats } from "../projection/agent-state.ts";
import { withWork } from "../projection/claim.ts";
import type { Figure } from "../truth/figure.ts";
import { spoken } from "../truth/judge.ts";
import type { Reading } from "../truth/reading.ts";
import { type Asked, matches, sorted } from "./asked.ts";
import { type Level, urgency } from "./level.ts";
import { type Note, noteOf, telling } from "./telling.ts";

export interface AgentRow {
  key: string;
  level: Level;
  order: Record<string, string | number>;
  name: Figure<string>;
  kind: Figure<string>;
  state: Figure<AgentState>;
  picture: Figure<AgentPicture>;
  last_success: Figure<string>;
  claim: Figure<string>;
  /** Null where it holds nothing. */
  held_for: Figure<string> | null;
  dependency: Figure<string>;
  failure: Figure<string>;
}

export interface AlarmRow {
  key: string;
  level: Level;
  what: Figure<string>;
  about: Figure<string>;
  since: Figure<string>;
  more: Figure<string>;
}

export interface AgentView {
  rows: AgentRow[];
  alarms: AlarmRow[];
  notes: Note[];
  alarm_notes: Note[];
}

export function agentView(
  readings: readonly Reading<readonly AgentFact[]>[],
  cards: readonly Reading<readonly CardFact[]>[],
  alerts: Reading<readonly AlertFact[]>,
  stops: Reading<readonly StopFact[]>,
  asked: Asked,
  now: Date,
): AgentView {
  const rows = readings.flatMap((reading) =>
    reading.status === "unknown" ? [] : reading.value
      .filter(({ name, kind, dependency, failure, claim }) =>
        matches(asked.search, name, kind, dependency, failure, claim?.id)
      )
      .map((fact) => rowOf(reading, withWork(fact, cards), now))
      .filter(({ order }) => asked.only === null || order.state === asked.only)
  );
  return {
    rows: sorted(rows, asked.sort, "urgency"),
    alarms: [
      ...stops.status === "unknown" ? [] : stops.value.map((stop) => stopRow(stops, stop)),
      ...alerts.status === "unknown" ? [] : alerts.value.map((alert) => alertRow(alerts, alert)),
    ],
    notes: readings.map((reading) => noteOf(reading, "agents")),
    alarm_notes: [noteOf(stops, "stops"), noteOf(alerts, "alerts")],
  };
}

function rowOf(reading: Reading<unknown>, fact: AgentFact, now: Date): AgentRow {
  const verdict = agentState(fact, now);
  const { state, picture, failure, wrong_thing, stale_claim } = verdict;
  const key = `${reading.source}/${fact.name}`;
  const say = telling(reading, { id: fact.name, href: fact.href });
  const beat = fact.beat_at === null
    ? {}
    : { at: { now, observed_at: fact.beat_at, max_age_s: missed_beats * fact.interval_s } };
  const wrong = [...new Set([failure, wrong_thing, stale_claim])].filter((one) => one !== null);
  const told = state === "unknown" ? null : state;
  const since = fact.claim?.claimed_at ?? null;
  const level = levelOf(verdict, reading);
  return {
    key,
    level,
    order: {
      urgency: urgency(level),
      name: fact.name,
      kind: fact.kind,
      state,
      success: fact.last_success_at ?? "",
    },
    name: say(fact.name, { leads: true }),
    kind: say(fact.kind),
    state: say(told, { ...beat, because: failure ?? "nothing says how it is" }),
    picture: say(picture, beat),
    last_success: say(fact.last_success_at, { because: "no success is on record" }),
    claim: say(fact.claim?.id ?? "nothing", { href: fact.claim?.href ?? null }),
    held_for: fact.claim === null ? null : say(
      since === null ? null : spoken((now.getTime() - Date.parse(since)) / 1000),
      { because: "it does not say since when" },
    ),
    dependency: say(fact.dependency ?? "nothing"),
    failure: say(wrong.join("; ") || "none"),
  };
}

/** What cannot be seen live is not well: it is not known. */
function levelOf({ state }: AgentVerdict, reading: Reading<unknown>): Level {
  if (state === "down") return "red";
  if (state === "degraded" || state === "rate_limited") return "amber";
  return state === "unknown" || reading.status !== "live" ? "unknown" : "good";
}

function stopRow(reading: Reading<unknown>, stop: StopFact): AlarmRow {
  const say = telling(reading, { id: `stop:${stop.scope}` });
  return {
    key: `stop/${stop.scope}`,
    level: stop.state === "stopped" ? "red" : stop.state === "unknown" ? "unknown" : "good",
    what: say(stop.state === "unknown" ? null : `effects ${stop.state}`, {
      because: "its row is missing, which holds effects back",
    }),
    about: say(stop.scope === "all" ? "every effect" : "effects of tier T3"),
    since: say(stop.changed_at, { because: "never changed" }),
    more: say(stop.reason ?? "–"),
  };
}

function alertRow(reading: Reading<unknown>, alert: AlertFact): AlarmRow {
  const href = alert.task_id === null
    ? `/command/agents#alert-${alert.id}`
    : `/command/tasks/${alert.task_id}`;
  const say = telling(reading, { id: `alert:${alert.id}`, href });
  const measured = alert.value === null ? [] : [`measured ${alert.value}`];
  const bound = alert.threshold === null ? [] : [`bound ${alert.threshold}`];
  const taken = alert.acknowledged_by === null ? [] : [`taken by ${alert.acknowledged_by}`];
  return {
    key: `alert-${alert.id}`,
    level: alert.severity === "critical" ? "red" : alert.severity === "warning" ? "amber" : "quiet",
    what: say(alert.code.replaceAll("_", " ")),
    about: say(alert.subject, { leads: true }),
    since: say(alert.opened_at),
    more: say(
      [alert.seen === 1 ? "seen once" : `seen ${alert.seen} times`, ...measured, ...bound, ...taken]
        .join(", "),
    ),
  };
}
