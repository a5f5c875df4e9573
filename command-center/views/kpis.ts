import type { KpiFacts } from "../facts/kpi.ts";
import type { Figure } from "../truth/figure.ts";
import { figureOf } from "../truth/figure.ts";
import type { Reading } from "../truth/reading.ts";
import type { Level } from "./level.ts";
import { type Note, telling } from "./telling.ts";

export interface KpiRow {
  key: string;
  level: Level;
  name: Figure<string>;
  subject: Figure<string>;
  value: Figure<string>;
  target: Figure<string>;
  samples: Figure<number>;
  status: Figure<string>;
}

export interface Series {
  name: string;
  /** Null where an hour has no sample: a gap, not a zero. */
  points: Figure<readonly { at: Date; value: number | null }[]>;
}

export interface Plot {
  key: string;
  title: string;
  unit: string;
  series: Series[];
  /** For the line; unknown where there is none to draw. */
  target: Figure<number>;
  told_target: Figure<string>;
  summary: Figure<string>;
}

export interface KpiView {
  rows: KpiRow[];
  plots: Plot[];
  note: Note;
}

const plots: { title: string; subject: string; kpis: [string, string][] }[] = [
  ...["T0", "T1", "T2", "T3"].map((tier): typeof plots[number] => ({
    title: `Latency of ${tier}`,
    subject: tier,
    kpis: [["latency_p50", "P50"], ["latency_p95", "P95"]],
  })),
  { title: "Duplicate rate", subject: "deliveries", kpis: [["duplicate_rate", "duplicates"]] },
  { title: "Critic pass", subject: "all", kpis: [["critic_pass", "passed"]] },
  { title: "Approval wait of T2", subject: "T2", kpis: [["approval_wait_mean", "mean"]] },
  { title: "Approval wait of T3", subject: "T3", kpis: [["approval_wait_mean", "mean"]] },
];

export function kpiView(reading: Reading<KpiFacts>): KpiView {
  const facts = reading.status === "unknown" ? null : reading.value;
  return {
    note: figureOf(reading, ({ current }) => current.length, { id: "figures" }),
    rows: (facts?.current ?? []).map((row): KpiRow => {
      const say = telling(reading, { id: `${row.kpi}/${row.subject}` });
      return {
        key: `${row.kpi}-${row.subject}`,
        level: row.status === "missed"
          ? "red"
          : row.status === "met" && reading.status === "live"
          ? "good"
          : row.status === "no_target"
          ? "quiet"
          : "unknown",
        name: say(row.kpi.replaceAll("_", " ")),
        subject: say(row.subject),
        value: say(row.value === null ? null : spokenValue(row.value, row.unit), {
          because: "no sample",
        }),
        target: say(row.target === null ? "none" : spokenValue(row.target, row.unit)),
        samples: say(row.samples),
        status: say(row.status === "unknown" ? null : row.status, { because: "no sample" }),
      };
    }),
    plots: plots.map(({ title, subject, kpis }) => plotOf(reading, facts, title, subject, kpis)),
  };
}

function plotOf(
  reading: Reading<KpiFacts>,
  facts: KpiFacts | null,
  title: string,
  subject: string,
  kpis: [string, string][],
): Plot {
  const hours = (kpi: string) =>
    facts?.hours.filter((row) => row.kpi === kpi && row.subject === subject) ?? [];
  const current = facts?.current.find((row) => row.kpi === kpis[0][0] && row.subject === subject);
  const unit = hours(kpis[0][0])[0]?.unit ?? "s";
  const measured = hours(kpis[0][0]).filter(({ value }) => value !== null).length;
  const all = kpis.flatMap(([kpi]) => hours(kpi).filter(({ value }) => value !== null));
  return {
    key: title.toLowerCase().replaceAll(" ", "-"),
    title,
    unit,
    series: kpis.map(([kpi, name]) => ({
      name,
      points: figureOf(
        reading,
        () => hours(kpi).map(({ hour, value }) => ({ at: new Date(hour), value })),
        { id: `${kpi}/${subject}` },
      ),
    })),
    target: figureOf(reading, () => current?.target, { id: `${kpis[0][0]}/${subject}` }),
    told_target: figureOf(
      reading,
      () => current && (current.target === null ? "none" : spokenValue(current.target, unit)),
      { id: `${kpis[0][0]}/${subject}` },
    ),
    summary: figureOf(
      reading,
      () =>
        all.length === 0
          ? null
          : `${measured} of 48 hours have a sample, the highest ${
            spokenValue(Math.max(...all.map(({ value }) => value ?? 0)), unit)
          }`,
      { id: `${kpis[0][0]}/${subject}`, because: "no sample in 48 hours" },
    ),
  };
}

/** A ratio as a share of a hundred, seconds as seconds: what a person reads. */
export function spokenValue(value: number, unit: string): string {
  if (unit === "ratio") return `${(value * 100).toFixed(value < 0.1 ? 2 : 1)} %`;
  return `${value >= 100 ? Math.round(value) : value.toFixed(2)} ${unit}`;
}
