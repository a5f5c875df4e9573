import type { Figure } from "../truth/figure.ts";
import { momentOf, skew_s, spoken } from "../truth/judge.ts";
import type { Level } from "../views/level.ts";
import type { Content } from "./jsx-runtime.ts";

/**
 * The one room in which a figure becomes words. Each carries its source, its time and how far it can be trusted into the
 * page, where a script ages it and a test looks for it.
 */
const about = (of: Figure<unknown>) => ({
  "data-source": of.source,
  "data-freshness": of.freshness,
  "data-observed-at": of.observed_at ?? "",
  "data-max-age": of.max_age_s,
});

/** A value; when it is not known, that and why. */
export function Show({ of }: { of: Figure<string> | Figure<number> }) {
  const words = of.value === null ? <Unknown of={of} /> : String(of.value);
  return (
    <span class="figure" {...about(of)}>
      {of.href === null || of.value === null ? words : <a href={of.href}>{words}</a>}
      <Doubt of={of} />
    </span>
  );
}

const Unknown = ({ of }: { of: Figure<unknown> }) => (
  <span class="unknown">
    unknown
    {of.reason !== null && <span class="why">{` (${of.reason})`}</span>}
  </span>
);

/** What is neither live nor unknown says so beside the value; why, its row or its source says once. */
const Doubt = ({ of }: { of: Figure<unknown> }): Content =>
  (of.freshness === "stale" || of.freshness === "degraded") && (
    <span class="doubt" title={of.reason ?? ""}>{` ${of.freshness}`}</span>
  );

export const Reason = ({ of }: { of: Figure<unknown> }): Content =>
  of.reason !== null && <span class="why">{of.reason}</span>;

/** A time as the source gave it, and how long ago that was when the page was made. */
export function When({ of, now }: { of: Figure<string>; now: Date }) {
  const at = of.value === null ? null : momentOf(of.value);
  if (at === null) {
    return (
      <span class="figure" {...about(of)}>
        <Unknown of={of} />
      </span>
    );
  }
  const age_s = (now.getTime() - at.getTime()) / 1000;
  // A time that a source gave for itself lies in the past; a moment ahead is the page's own asking.
  const distance = of.value === of.observed_at ? agoOf(age_s) : distanceOf(age_s);
  const iso = at.toISOString();
  return (
    <span class="figure" {...about(of)}>
      <time datetime={iso} title={iso}>{distance}</time>
      <Doubt of={of} />
    </span>
  );
}

/** Half a line of digits tells nobody more than its beginning; the whole stands in the title. */
const shortened = (id: string): string =>
  id.replace(/([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/, "$1…");

/** A page asks its sources after it has looked at its clock, so an answer may be a moment younger than the page. */
const agoOf = (age_s: number): string => Math.abs(age_s) < skew_s ? "just now" : distanceOf(age_s);

const distanceOf = (age_s: number): string =>
  Math.abs(age_s) < 1.5 ? "just now" : age_s > 0 ? `${spoken(age_s)} ago` : `in ${spoken(-age_s)}`;

/** Shape and word say what the colour says. */
const marks: Record<Level, string> = { red: "▲", amber: "◆", unknown: "?", quiet: "·", good: "●" };

/** Only a live figure may look good; whatever else it says, it is in doubt. */
export const levelShown = (of: Figure<unknown>, level: Level): Level =>
  of.freshness === "unknown"
    ? (level === "red" ? "red" : "unknown")
    : of.freshness !== "live" && (level === "good" || level === "quiet")
    ? "unknown"
    : level;

/** `terse` where why it is not known stands elsewhere on the page. */
export function State(
  { of, level, terse = false }: { of: Figure<string>; level: Level; terse?: boolean },
) {
  const shown = levelShown(of, level);
  return (
    <span class={`figure state ${shown}`} {...about(of)}>
      <span class="mark" aria-hidden="true">{marks[shown]}</span>
      <span>
        {of.value !== null
          ? of.value.replaceAll("_", " ")
          : terse
          ? <span class="unknown">unknown</span>
          : <Unknown of={of} />}
        <Doubt of={of} />
      </span>
    </span>
  );
}

/** Where a row comes from: its source, its object there, and when the source said it. */
export function Source({ of, now }: { of: Figure<unknown>; now: Date }) {
  const at = of.observed_at === null ? null : momentOf(of.observed_at);
  const age = at === null ? "no time" : agoOf((now.getTime() - at.getTime()) / 1000);
  return (
    <span class="source" {...about(of)}>
      <span class="name">{of.source}</span>
      {of.object !== null && of.object !== of.source && (
        <code title={of.object}>{shortened(of.object)}</code>
      )}
      <span class={`freshness ${of.freshness}`}>{of.freshness}</span>
      <span class="age">{age}</span>
    </span>
  );
}

/** The same inside a drawing. */
export const Words = (
  { of, x, y, look }: { of: Figure<string>; x: number; y: number; look: string },
) => (
  <text class={look} x={x} y={y} text-anchor="middle" {...about(of)}>
    {of.value?.replaceAll("_", " ") ?? "unknown"}
  </text>
);
