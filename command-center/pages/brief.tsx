import { Show, Source, State } from "../html/figure.tsx";
import { type Frame, Nothing, Page, Sources } from "../html/frame.tsx";
import { Table } from "../html/table.tsx";
import type { Brief } from "../views/brief.ts";
import type { Note } from "../views/telling.ts";

export function BriefPage({ frame, brief }: { frame: Frame; brief: Brief }) {
  const { asked, now } = frame;
  return (
    <Page
      frame={frame}
      title="Brief status"
      lead="What is red, what is degraded, and what needs a person first. Everything here follows from the four views that come next."
    >
      <ul class="tiles" aria-label="The five elements">
        {brief.tiles.map(({ name, href, level, value }) => (
          <li class={`tile ${level}`}>
            <h2>{href === "/command" ? name : <a href={href}>{name}</a>}</h2>
            <p>
              <State of={value} level={level} terse />
            </p>
            <Source of={value} now={now} />
          </li>
        ))}
      </ul>
      {brief.blind.length > 0 && (
        <section aria-labelledby="blind">
          <h2 id="blind">Blind sources</h2>
          <p class="why">
            What these would say is not known, so nothing that depends on them is green.
          </p>
          <Sources notes={brief.blind} now={now} what="what cannot be seen" />
        </section>
      )}
      {brief.doubtful.length > 0 && (
        <section aria-labelledby="doubtful">
          <h2 id="doubtful">Sources in doubt</h2>
          <Sources notes={brief.doubtful} now={now} what="what is late or incomplete" />
        </section>
      )}
      <section aria-labelledby="first">
        <h2 id="first">What needs a person first</h2>
        {brief.items.length === 0
          ? <Nothing notes={notesOf(brief)} what="red or degraded item" />
          : (
            <Table
              caption="Red first, then degraded, then what cannot be told"
              asked={asked}
              rows={brief.items}
              columns={[
                { name: "What", cell: (item) => <Show of={item.what} /> },
                { name: "State", cell: (item) => <State of={item.state} level={item.level} /> },
                { name: "Why", cell: (item) => <Show of={item.why} /> },
                { name: "View", cell: (item) => item.from },
                { name: "Source", cell: (item) => <Source of={item.what} now={now} /> },
              ]}
            />
          )}
      </section>
    </Page>
  );
}

const notesOf = ({ blind, doubtful }: Brief): Note[] => [...blind, ...doubtful];
