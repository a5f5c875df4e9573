import { Show, Source, State } from "../html/figure.tsx";
import { Filters } from "../html/filters.tsx";
import { type Frame, Nothing, Page, Sources } from "../html/frame.tsx";
import { type Column, Table } from "../html/table.tsx";
import { buckets, type ReviewVerdict } from "../facts/review.ts";
import type { Note } from "../views/telling.ts";
import type { PullRow, RequestRow, ReviewView } from "../views/reviews.ts";

type Kind = ReviewVerdict["kind"];
const kinds: readonly Kind[] = ["judgement", "routine"];

export function ReviewsPage({ frame, view }: { frame: Frame; view: ReviewView }) {
  const { asked, now } = frame;
  return (
    <Page
      frame={frame}
      title="Review queue"
      lead="What waits for a yes: judgement of the operator apart from what anybody may review."
    >
      <Filters asked={asked} only={["judgement", "routine", ...buckets]} tiers />
      <Queue
        frame={frame}
        id="requests"
        title="Approval requests of the platform"
        what="approval request"
        notes={view.request_notes}
        rows={view.requests}
        captions={{ judgement: "Need the operator's judgement", routine: "Routine" }}
        columns={requestColumns(now)}
      />
      <Queue
        frame={frame}
        id="pulls"
        title="Pull requests"
        what="pull request"
        notes={view.pull_notes}
        rows={view.pulls}
        captions={{
          judgement: "Pull requests that need the operator's judgement",
          routine: "Routine pull requests",
        }}
        columns={pullColumns(now)}
      />
    </Page>
  );
}

interface QueueOf<Row> {
  frame: Frame;
  id: string;
  title: string;
  what: string;
  notes: readonly Note[];
  rows: Row[];
  captions: Record<Kind, string>;
  columns: Column<Row>[];
}

/** One source's queue: what needs the operator's own judgement first, the routine below it. */
function Queue<Row extends PullRow | RequestRow>(
  { frame: { asked, now }, id, title, what, notes, rows, captions, columns }: QueueOf<Row>,
) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <Sources notes={notes} now={now} what={`${what}s`} />
      {rows.length === 0 ? <Nothing notes={notes} what={`open ${what}`} /> : kinds.map((kind) => {
        const caption = captions[kind];
        const own = rows.filter((row) => row.kind === kind);
        return own.length === 0
          ? <p class="nothing empty">{`${caption}: none of these.`}</p>
          : <Table caption={caption} asked={asked} rows={own} columns={columns} />;
      })}
    </section>
  );
}

const requestColumns = (now: Frame["now"]): Column<RequestRow>[] => [
  { name: "Code", cell: (row) => <Show of={row.code} /> },
  { name: "Bucket", sort: "bucket", cell: (row) => <State of={row.where} level={row.level} /> },
  { name: "Tier", sort: "tier", cell: (row) => <Show of={row.tier} /> },
  { name: "What", sort: "title", cell: (row) => <Show of={row.title} /> },
  { name: "Asked by", cell: (row) => <Show of={row.by} /> },
  { name: "Decided", cell: (row) => <Show of={row.decided} /> },
  { name: "Missing", cell: (row) => <Show of={row.missing} /> },
  { name: "Age", sort: "age", cell: (row) => <Show of={row.age} /> },
  { name: "Expires", cell: (row) => <Show of={row.expires} /> },
  { name: "Why", cell: (row) => <Show of={row.why} /> },
  {
    name: "Digest",
    cell: (row) => (
      <code>
        <Show of={row.digest} />
      </code>
    ),
  },
  { name: "Source", cell: (row) => <Source of={row.code} now={now} /> },
];

const pullColumns = (now: Frame["now"]): Column<PullRow>[] => [
  { name: "Number", cell: (row) => <Show of={row.number} /> },
  { name: "Repository", sort: "repo", cell: (row) => <Show of={row.repo} /> },
  { name: "Bucket", sort: "bucket", cell: (row) => <State of={row.where} level={row.level} /> },
  { name: "Title", sort: "title", cell: (row) => <Show of={row.title} /> },
  { name: "Author", cell: (row) => <Show of={row.by} /> },
  { name: "Age", sort: "age", cell: (row) => <Show of={row.age} /> },
  { name: "Review", cell: (row) => <Show of={row.review} /> },
  { name: "Merge", cell: (row) => <Show of={row.merge} /> },
  { name: "Sensitive", cell: (row) => <Show of={row.sensitive} /> },
  { name: "Why", cell: (row) => <Show of={row.why} /> },
  { name: "Source", cell: (row) => <Source of={row.number} now={now} /> },
];
