import { Show, Source, State, When } from "../html/figure.tsx";
import { Filters } from "../html/filters.tsx";
import { type Frame, Nothing, Page, Sources } from "../html/frame.tsx";
import { Table } from "../html/table.tsx";
import { agentStates } from "../facts/agent.ts";
import type { AgentView } from "../views/agents.ts";
import type { Note } from "../views/telling.ts";

export function AgentsPage(
  { frame, view, gateway }: { frame: Frame; view: AgentView; gateway: Note },
) {
  const { asked, now } = frame;
  return (
    <Page
      frame={frame}
      title="Agent health"
      lead="Which agents, loops, models and services are alive, stalled, rate-limited, missing, or working on the wrong thing."
    >
      <section aria-labelledby="alarms">
        <h2 id="alarms">Stops and alerts</h2>
        <Sources notes={view.alarm_notes} now={now} what="stops and alerts" />
        {view.alarms.length === 0 ? <Nothing notes={view.alarm_notes} what="alert" /> : (
          <Table
            caption="What holds effects back, and what rings"
            asked={asked}
            rows={view.alarms}
            columns={[
              { name: "What", cell: (row) => <State of={row.what} level={row.level} /> },
              { name: "About", cell: (row) => <Show of={row.about} /> },
              { name: "Since", cell: (row) => <When of={row.since} now={now} /> },
              { name: "More", cell: (row) => <Show of={row.more} /> },
              { name: "Source", cell: (row) => <Source of={row.what} now={now} /> },
            ]}
          />
        )}
      </section>
      <section aria-labelledby="agents">
        <h2 id="agents">Agents, models and services</h2>
        <Sources notes={view.notes} now={now} what="agents" />
        <Filters asked={asked} only={agentStates} />
        {view.rows.length === 0 ? <Nothing notes={view.notes} what="agent" /> : (
          <Table
            caption="One row an agent, loop, model or service"
            asked={asked}
            rows={view.rows}
            columns={[
              { name: "Name", sort: "name", cell: (row) => <Show of={row.name} /> },
              {
                name: "State",
                sort: "state",
                cell: (row) => <State of={row.state} level={row.level} />,
              },
              { name: "Picture", cell: (row) => <Show of={row.picture} /> },
              {
                name: "Last success",
                sort: "success",
                cell: (row) => <When of={row.last_success} now={now} />,
              },
              {
                name: "Holds",
                cell: (row) => (
                  <>
                    <Show of={row.claim} />
                    {row.held_for !== null && (
                      <>
                        {" for "}
                        <Show of={row.held_for} />
                      </>
                    )}
                  </>
                ),
              },
              { name: "Depends on", cell: (row) => <Show of={row.dependency} /> },
              { name: "Failure", cell: (row) => <Show of={row.failure} /> },
              { name: "Kind", sort: "kind", cell: (row) => <Show of={row.kind} /> },
              { name: "Source", cell: (row) => <Source of={row.name} now={now} /> },
            ]}
          />
        )}
      </section>
      <section aria-labelledby="gateway">
        <h2 id="gateway">Key gateway</h2>
        <p>
          <Show of={gateway} />
        </p>
      </section>
    </Page>
  );
}
