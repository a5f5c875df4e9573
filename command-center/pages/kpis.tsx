import { Show, Source, State } from "../html/figure.tsx";
import { type Frame, Nothing, Page, Sources } from "../html/frame.tsx";
import { PlotPicture } from "../html/plot.tsx";
import { Table } from "../html/table.tsx";
import { addressOf } from "../views/asked.ts";
import type { KpiView } from "../views/kpis.ts";

const windows = ["1 h", "24 h", "30 d"];

export function KpisPage({ frame, view }: { frame: Frame; view: KpiView }) {
  const { asked, now } = frame;
  return (
    <Page
      frame={frame}
      title="KPIs"
      lead="Latency, duplicates, critic and approvals over time. Where nothing was measured there is a gap."
    >
      <Sources notes={[view.note]} now={now} what="the figures" />
      <h2 id="plots">The last 48 hours, hour by hour</h2>
      <div class="plots">{view.plots.map((plot) => <PlotPicture plot={plot} />)}</div>
      <h2 id="current">Against their targets</h2>
      <nav class="windows" aria-label="Window">
        {windows.map((window) => (
          <a
            class="button"
            href={addressOf(asked, { window })}
            {...(asked.window === window ? { "aria-current": "true" } : {})}
          >
            {window}
          </a>
        ))}
      </nav>
      {view.rows.length === 0 ? <Nothing notes={[view.note]} what="figure" /> : (
        <Table
          caption={`Figures over ${asked.window}`}
          asked={asked}
          rows={view.rows}
          columns={[
            { name: "Figure", cell: (row) => <Show of={row.name} /> },
            { name: "Of", cell: (row) => <Show of={row.subject} /> },
            { name: "Value", cell: (row) => <Show of={row.value} /> },
            { name: "Target", cell: (row) => <Show of={row.target} /> },
            { name: "Status", cell: (row) => <State of={row.status} level={row.level} /> },
            { name: "Samples", cell: (row) => <Show of={row.samples} /> },
            { name: "Source", cell: (row) => <Source of={row.name} now={now} /> },
          ]}
        />
      )}
    </Page>
  );
}
