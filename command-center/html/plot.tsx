import { scaleLinear, scaleUtc } from "d3-scale";
import { line } from "d3-shape";
import type { Plot, Series } from "../views/kpis.ts";
import { Show } from "./figure.tsx";

const size = { width: 440, height: 180, left: 58, right: 10, top: 12, bottom: 26 };
const dashes = ["", "5 3"];

/** Lines with gaps where nothing was measured; the target is drawn in. A picture, with its sense in words below it. */
export function PlotPicture({ plot }: { plot: Plot }) {
  const drawn = plot.series.map(({ points }) => points.value ?? []);
  const values = drawn.flat().flatMap(({ value }) => value === null ? [] : [value]);
  const top = Math.max(...values, plot.target.value ?? 0, plot.unit === "ratio" ? 0.01 : 1);
  const times = drawn.flat().map(({ at }) => at.getTime());
  const y = scaleLinear([0, top * 1.08], [size.height - size.bottom, size.top]);
  const x = scaleUtc(
    [new Date(Math.min(...times)), new Date(Math.max(...times))],
    [size.left, size.width - size.right],
  );
  return (
    <figure class="plot" id={plot.key}>
      <figcaption>
        <h3>{plot.title}</h3>
      </figcaption>
      {values.length > 0 && (
        <svg
          viewBox={`0 0 ${size.width} ${size.height}`}
          role="img"
          aria-label={`${plot.title}, hour by hour over 48 hours`}
        >
          {y.ticks(3).map((tick) => (
            <g class="tick">
              <line x1={size.left} x2={size.width - size.right} y1={y(tick)} y2={y(tick)} />
              <text x={size.left - 6} y={y(tick) + 4} text-anchor="end">
                {spokenTick(tick, plot.unit)}
              </text>
            </g>
          ))}
          {x.ticks(4).map((tick) => (
            <text class="hour" x={x(tick)} y={size.height - 8} text-anchor="middle">
              {spokenHour(tick)}
            </text>
          ))}
          {plot.target.value !== null && (
            <line
              class="target"
              x1={size.left}
              x2={size.width - size.right}
              y1={y(plot.target.value)}
              y2={y(plot.target.value)}
            />
          )}
          {plot.series.map((series, i) => <Line series={series} x={x} y={y} place={i} />)}
        </svg>
      )}
      <p class="legend">
        {plot.series.length > 1 &&
          "Solid: P50. Dashed: P95. "}
        Target: <Show of={plot.told_target} />. <Show of={plot.summary} />
      </p>
    </figure>
  );
}

type Scale<T> = (value: T) => number;

function Line(
  { series, x, y, place }: { series: Series; x: Scale<Date>; y: Scale<number>; place: number },
) {
  const points = series.points.value ?? [];
  const path = line<{ at: Date; value: number | null }>()
    .defined(({ value }) => value !== null)
    .x(({ at }) => Math.round(x(at)))
    .y(({ value }) => Math.round(y(value ?? 0) * 10) / 10)(points.slice());
  return (
    <g class={`series series-${place}`}>
      <path d={path ?? ""} fill="none" stroke-dasharray={dashes[place]} />
      {points.map(({ at, value }) =>
        value !== null && <circle cx={Math.round(x(at))} cy={Math.round(y(value))} r="2" />
      )}
    </g>
  );
}

const spokenTick = (tick: number, unit: string): string =>
  unit === "ratio" ? `${Math.round(tick * 1000) / 10} %` : `${tick} ${unit}`;
const spokenHour = (at: Date): string =>
  at.getUTCHours() === 0 ? at.toISOString().slice(5, 10) : at.toISOString().slice(11, 16);
