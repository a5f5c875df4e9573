import { Show, Source, State } from "../html/figure.tsx";
import { Filters } from "../html/filters.tsx";
import { type Frame, Nothing, Page, Sources } from "../html/frame.tsx";
import { Table } from "../html/table.tsx";
import { buckets } from "../facts/review.ts";
import type { PullRow, RequestRow, ReviewView } from "../views/reviews.ts";

export function ReviewsPage({ frame, view }: { frame: Frame; view: ReviewView }) {
  const { asked, now } = frame;
  return (
    <Page
      frame={frame}
      title="Review queue"
      lead="What waits for a yes: judgement of the operator apart from what anybody may review."
    >
      <Filters asked={asked} only={["judgement", "routine", ...buckets]} tiers />
      <section aria-labelledby="requests">
        <h2 id="requests">Approval requests of the platform</h2>
        <Sources notes={view.request_notes} now={now} what="approval requests" />
        {view.requests.length === 0
          ? <Nothing notes={view.request_notes} what="open approval request" />
          : (
            <>
              <Requests
                frame={frame}
                caption="Need the operator's judgement"
                rows={view.requests.filter(({ kind }) => kind === "judgement")}
              />
              <Requests
                frame={frame}
                caption="Routine"
                rows={view.requests.filter(({ kind }) => kind === "routine")}
              />
            </>
          )}
      </section>
      <section aria-labelledby="pulls">
        <h2 id="pulls">Pull requests</h2>
        <Sources notes={view.pull_notes} now={now} what="pull requests" />
        {view.pulls.length === 0 ? <Nothing notes={view.pull_notes} what="open pull request" /> : (
          <>
            <Pulls
              frame={frame}
              caption="Pull requests that need the operator's judgement"
              rows={view.pulls.filter(({ kind }) => kind === "judgement")}
            />
            <Pulls
              frame={frame}
              caption="Routine pull requests"
              rows={view.pulls.filter(({ kind }) => kind === "routine")}
            />
          </>
        )}
      </section>
    </Page>
  );
}

function Requests(
  { frame: { asked, now }, caption, rows }: { frame: Frame; caption: string; rows: RequestRow[] },
) {
  if (rows.length === 0) return <p class="nothing empty">{`${caption}: none of these.`}</p>;
  return (
    <Table
      caption={caption}
      asked={asked}
      rows={rows}
      columns={[
        { name: "Code", cell: (row) => <Show of={row.code} /> },
        {
          name: "Bucket",
          sort: "bucket",
          cell: (row) => <State of={row.where} level={row.level} />,
        },
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
      ]}
    />
  );
}

function Pulls(
  { frame: { asked, now }, caption, rows }: { frame: Frame; caption: string; rows: PullRow[] },
) {
  if (rows.length === 0) return <p class="nothing empty">{`${caption}: none of these.`}</p>;
  return (
    <Table
      caption={caption}
      asked={asked}
      rows={rows}
      columns={[
        { name: "Number", cell: (row) => <Show of={row.number} /> },
        { name: "Repository", sort: "repo", cell: (row) => <Show of={row.repo} /> },
        {
          name: "Bucket",
          sort: "bucket",
          cell: (row) => <State of={row.where} level={row.level} />,
        },
        { name: "Title", sort: "title", cell: (row) => <Show of={row.title} /> },
        { name: "Author", cell: (row) => <Show of={row.by} /> },
        { name: "Age", sort: "age", cell: (row) => <Show of={row.age} /> },
        { name: "Review", cell: (row) => <Show of={row.review} /> },
        { name: "Merge", cell: (row) => <Show of={row.merge} /> },
        { name: "Sensitive", cell: (row) => <Show of={row.sensitive} /> },
        { name: "Why", cell: (row) => <Show of={row.why} /> },
        { name: "Source", cell: (row) => <Source of={row.number} now={now} /> },
      ]}
    />
  );
}
