import { findInjection } from "../../functions/_domain/injection.ts";

export interface Sample {
  family: string;
  channel: string;
  /** The filter was worked on with the one half in sight; the other was only counted. */
  part: "tuned" | "held_out";
  text: string;
}

export interface Rate {
  measure: "recall" | "false alarms";
  by: "family" | "channel" | "part" | "all";
  name: string;
  flagged: number;
  of: number;
  pct: string;
}

export const samples = (lines: string): Sample[] =>
  lines.trim().split("\n").map((line): Sample => JSON.parse(line));

function rates(measure: Rate["measure"], all: Sample[]): Rate[] {
  const judged = all.map((sample) => ({ sample, hit: findInjection(sample.text).flagged }));
  const counted = (by: Rate["by"], keyOf: (sample: Sample) => string): Rate[] => {
    const groups = new Map<string, { flagged: number; of: number }>();
    for (const { sample, hit } of judged) {
      const group = groups.get(keyOf(sample)) ?? { flagged: 0, of: 0 };
      groups.set(keyOf(sample), { flagged: group.flagged + (hit ? 1 : 0), of: group.of + 1 });
    }
    return [...groups].sort(([a], [b]) => a < b ? -1 : 1).map(([name, { flagged, of }]) => ({
      measure,
      by,
      name,
      flagged,
      of,
      pct: (100 * flagged / of).toFixed(1),
    }));
  };
  return [
    ...counted(
      "family",
      ({ family, part }) => `${family}, ${part === "tuned" ? "tuned" : "held out"}`,
    ),
    ...counted("channel", ({ channel }) => channel),
    ...counted("part", ({ part }) => part === "tuned" ? "tuned" : "held out"),
    ...counted("all", () => "all"),
  ];
}

/** How much of the attacks the filter sees, and how much of the rest it takes for one. */
export const measure = (attacks: Sample[], benign: Sample[]): Rate[] => [
  ...rates("recall", attacks),
  ...rates("false alarms", benign),
];

export const rateOf = (all: Rate[], what: Rate["measure"], name: string): number => {
  const found = all.find((rate) => rate.measure === what && rate.name === name);
  if (!found) throw new Error(`nothing was measured for ${name}`);
  return found.flagged / found.of;
};
