import { Show, Source } from "../html/figure.tsx";
import { Filters } from "../html/filters.tsx";
import { type Frame, Nothing, Page, Sources } from "../html/frame.tsx";
import { lanes } from "../facts/card.ts";
import { addressOf } from "../views/asked.ts";
import type { BoardView, CardRow } from "../views/board.ts";
import { anchor } from "../html/table.tsx";

export function BoardPage({ frame, view }: { frame: Frame; view: BoardView }) {
  const { asked, now } = frame;
  return (
    <Page
      frame={frame}
      title="Task board"
      lead="Tasks of the platform and issues of the forges. A lane follows from what their sources say; nobody moves a card here."
    >
      <Sources notes={view.notes} now={now} what="tasks and issues" />
      <Filters asked={asked} only={lanes} tiers />
      <p class="sorting">
        Sorted by {asked.sort === "oldest" ? "age, oldest first" : "age, newest first"} (<a
          href={addressOf(asked, { sort: asked.sort === "oldest" ? null : "oldest" })}
        >
          turn round
        </a>). Cards with contradictory signals: <Show of={view.ambiguous} />
      </p>
      <div class="board">
        {view.lanes.map(({ lane, count, hidden, cards }) => (
          <section class="lane" aria-labelledby={`lane-${anchor(lane)}`}>
            <h2 id={`lane-${anchor(lane)}`}>
              {lane}{" "}
              <span class="count">
                <Show of={count} />
              </span>
            </h2>
            {cards.length === 0
              ? <Nothing notes={view.notes} what="card" />
              : <ul>{cards.map((card) => <Card card={card} now={now} />)}</ul>}
            {hidden.value !== 0 && (
              <p class="more">
                <Show of={hidden} /> more. Search or filter to see them.
              </p>
            )}
          </section>
        ))}
      </div>
    </Page>
  );
}

const Card = ({ card, now }: { card: CardRow; now: Date }) => (
  <li class={`card ${card.level}`} id={anchor(card.key)} data-row={card.key}>
    <h3>
      <Show of={card.title} />
    </h3>
    {card.ambiguous !== null && (
      <p class="flag">
        <span aria-hidden="true">?</span> ambiguous: <Show of={card.ambiguous} />
      </p>
    )}
    {card.blocked !== null && (
      <p class="flag">
        <span aria-hidden="true">◆</span> blocked: <Show of={card.blocked} />
      </p>
    )}
    <dl>
      <dt>Whose</dt>
      <dd>
        <Show of={card.whose} />
      </dd>
      <dt>With</dt>
      <dd>
        <Show of={card.assignee} />
      </dd>
      <dt>Age</dt>
      <dd>
        <Show of={card.age} />, quiet for <Show of={card.quiet_for} />
      </dd>
      <dt>Signals</dt>
      <dd>
        <Show of={card.labels} />
      </dd>
    </dl>
    <Source of={card.id} now={now} />
  </li>
);
