import type { Figure } from "../truth/figure.ts";
import { addressOf, type Asked } from "../views/asked.ts";
import type { Note } from "../views/telling.ts";
import { Reason, Show, When } from "./figure.tsx";
import type { Content } from "./jsx-runtime.ts";
import { raw } from "./raw.ts";

/** What every page carries, whatever it shows. */
export interface Frame {
  asked: Asked;
  now: Date;
  /** When this page was computed, by the clock of whoever serves it. */
  snapshot: Figure<string>;
  /** Whether the figures come from the database: its kind, or unknown. */
  database: Figure<string>;
}

const views = [
  ["/command", "Brief"],
  ["/command/agents", "Agents"],
  ["/command/reviews", "Reviews"],
  ["/command/cron", "Cron"],
  ["/command/board", "Board"],
  ["/command/kpis", "KPIs"],
];

export function Page(
  { frame, title, lead, children }: {
    frame: Frame;
    title: string;
    lead: string;
    children: Content;
  },
) {
  const { asked, now, snapshot, database } = frame;
  return (
    <>
      {raw("<!doctype html>")}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <meta name="referrer" content="no-referrer" />
          <title>{`${title} · command center`}</title>
          <link rel="stylesheet" href="/command/static/style.css" />
          <link rel="icon" href="/command/static/icon.svg" type="image/svg+xml" />
          <script src="/command/static/watch.js" defer></script>
        </head>
        <body data-refresh={asked.refresh ? "on" : "off"}>
          <a class="skip" href="#main">Skip to the content</a>
          <header class="top">
            <nav aria-label="Views">
              <ul>
                {views.map(([href, name]) => (
                  <li>
                    <a href={href} {...(asked.path === href ? { "aria-current": "page" } : {})}>
                      {name}
                    </a>
                  </li>
                ))}
              </ul>
            </nav>
            <ul class="badges" aria-label="About this page">
              <li class="badge">read-only</li>
              <li class="badge">
                snapshot <Show of={snapshot} />
              </li>
              <li class={`badge database ${database.freshness}`}>
                {database.freshness === "unknown"
                  ? (
                    <>
                      database unavailable: <Show of={database} />
                    </>
                  )
                  : (
                    <>
                      database <Show of={database} />, <When of={database.observed()} now={now} />
                    </>
                  )}
              </li>
            </ul>
            <div class="refresh">
              <a
                class="button"
                href={addressOf(asked, { refresh: !asked.refresh })}
                id="refresh-toggle"
              >
                {asked.refresh ? "Stop refreshing" : "Refresh by itself"}
              </a>
              <a class="button" href={addressOf(asked)} id="refresh-now">Refresh now</a>
              <span id="refresh-told" role="status"></span>
            </div>
          </header>
          <main id="main" tabindex="-1">
            <h1>{title}</h1>
            <p class="lead">{lead}</p>
            {children}
          </main>
          <footer>
            <p>
              Looking changes nothing here. To decide on a request answer it in Telegram; to change
              the schedule or a stop use the command line.
            </p>
          </footer>
        </body>
      </html>
    </>
  );
}

/** What the sources of a view said, so that nothing to show and nothing seen are never one picture. */
export function Sources({ notes, now, what }: { notes: readonly Note[]; now: Date; what: string }) {
  return (
    <ul class="sources" aria-label={`Sources of ${what}`}>
      {notes.map((note) => (
        <li class={note.freshness}>
          <span class="name">{note.source}</span>
          <span class={`freshness ${note.freshness}`}>{note.freshness}</span>
          {note.freshness === "unknown" ? <Show of={note} /> : (
            <>
              <span>
                {`${note.object ?? "objects"}: `}
                <Show of={note} />
              </span>
              <When of={note.observed()} now={now} />
              <Reason of={note} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

/** An empty list that everybody spoke to, or one that nobody could see. */
export function Nothing({ notes, what }: { notes: readonly Note[]; what: string }) {
  const blind = notes.filter(({ freshness }) => freshness === "unknown");
  const doubtful = notes.filter(({ freshness }) =>
    freshness === "stale" || freshness === "degraded"
  );
  if (blind.length > 0 && blind.length === notes.length) {
    return <p class="nothing blind">{`No ${what} can be seen: no source of them answers.`}</p>;
  }
  if (blind.length > 0 || doubtful.length > 0) {
    const whom = [...blind, ...doubtful].map(({ source }) => source).join(", ");
    return (
      <p class="nothing blind">{`No ${what} in what can be seen. Not heard in full: ${whom}.`}</p>
    );
  }
  return <p class="nothing empty">{`No ${what}. Every source has said so just now.`}</p>;
}
