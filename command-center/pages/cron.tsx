import { Show, Source, State, When } from "../html/figure.tsx";
import { Filters } from "../html/filters.tsx";
import { type Frame, Nothing, Page, Sources } from "../html/frame.tsx";
import { Table } from "../html/table.tsx";
import { jobStates } from "../facts/job.ts";
import type { JobView } from "../views/jobs.ts";

export function CronPage({ frame, view }: { frame: Frame; view: JobView }) {
  const { asked, now } = frame;
  return (
    <Page
      frame={frame}
      title="Cron state"
      lead="What should run by the clock, and what does. Drift between the two is called by its name."
    >
      <Sources notes={view.notes} now={now} what="scheduled jobs" />
      <Filters asked={asked} only={jobStates} />
      {view.rows.length === 0 ? <Nothing notes={view.notes} what="scheduled job" /> : (
        <Table
          caption="One row a scheduled job"
          asked={asked}
          rows={view.rows}
          columns={[
            { name: "Job", sort: "name", cell: (row) => <Show of={row.name} /> },
            {
              name: "State",
              sort: "state",
              cell: (row) => <State of={row.state} level={row.level} />,
            },
            { name: "Drift", cell: (row) => <Show of={row.drift} /> },
            { name: "Desired", cell: (row) => <Show of={row.desired} /> },
            { name: "Actual", cell: (row) => <Show of={row.actual} /> },
            { name: "Schedule", cell: (row) => <Show of={row.schedule} /> },
            {
              name: "Last run",
              sort: "last",
              cell: (row) => <When of={row.last_run} now={now} />,
            },
            { name: "Last result", cell: (row) => <Show of={row.last_result} /> },
            {
              name: "Next run",
              sort: "next",
              cell: (row) => <When of={row.next_run} now={now} />,
            },
            { name: "Reason", cell: (row) => <Show of={row.reason} /> },
            { name: "Source", cell: (row) => <Source of={row.name} now={now} /> },
          ]}
        />
      )}
    </Page>
  );
}
