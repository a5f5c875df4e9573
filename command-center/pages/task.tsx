import { Dag } from "../html/dag.tsx";
import { Show, Source, State, When } from "../html/figure.tsx";
import { type Frame, Nothing, Page, Sources } from "../html/frame.tsx";
import { Table } from "../html/table.tsx";
import type { Line, Named, TaskView } from "../views/task.ts";

export function TaskPage({ frame, view }: { frame: Frame; view: TaskView }) {
  const { asked, now } = frame;
  return (
    <Page
      frame={frame}
      title="Task"
      lead="One task: its plan, what happened, what the critic said, who decided on what, and what came of it."
    >
      <Sources notes={[view.note]} now={now} what="this task" />
      <section class="task" aria-labelledby="task">
        <h2 id="task">
          <Show of={view.title} />
        </h2>
        <p>
          <State of={view.state} level={view.level} />
        </p>
        <dl class="facts">
          {view.facts.map((fact) => (
            <div>
              <dt>{fact.name}</dt>
              <dd>
                <Told fact={fact} now={now} />
              </dd>
            </div>
          ))}
        </dl>
      </section>
      <section aria-labelledby="plan">
        <h2 id="plan">Plan</h2>
        {view.steps.length === 0 ? <Nothing notes={[view.note]} what="step" /> : (
          <>
            <Dag steps={view.steps} />
            <Table
              caption="Steps"
              under
              asked={asked}
              rows={view.steps}
              columns={[
                { name: "Step", cell: (row) => <Show of={row.node} /> },
                { name: "State", cell: (row) => <State of={row.status} level={row.level} /> },
                { name: "Agent", cell: (row) => <Show of={row.agent} /> },
                { name: "Tier", cell: (row) => <Show of={row.tier} /> },
                { name: "Attempts", cell: (row) => <Show of={row.attempts} /> },
                { name: "Worker", cell: (row) => <Show of={row.worker} /> },
                { name: "Started", cell: (row) => <When of={row.started} now={now} /> },
                { name: "Took", cell: (row) => <Show of={row.took} /> },
                { name: "Error", cell: (row) => <Show of={row.error} /> },
                { name: "Source", cell: (row) => <Source of={row.node} now={now} /> },
              ]}
            />
          </>
        )}
      </section>
      {view.lists.map(({ key, title, what, lines }) => (
        <section aria-labelledby={key}>
          <h2 id={key}>{title}</h2>
          {lines.length === 0 ? <Nothing notes={[view.note]} what={what} /> : (
            <Table
              caption={title}
              under
              asked={asked}
              rows={lines}
              columns={columnsOf(lines[0], now)}
            />
          )}
        </section>
      ))}
    </Page>
  );
}

const Told = ({ fact, now }: { fact: Named; now: Date }) =>
  fact.time ? <When of={fact.value} now={now} /> : <Show of={fact.value} />;

/** Every line of a list has the cells of its first. */
const columnsOf = (first: Line, now: Date) => [
  ...first.cells.map(({ name }, i) => ({
    name,
    cell: (line: Line) => <Told fact={line.cells[i]} now={now} />,
  })),
  { name: "Source", cell: (line: Line) => <Source of={line.cells[0].value} now={now} /> },
];
