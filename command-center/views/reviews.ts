import type { Bucket, PullFact, RequestFact, ReviewVerdict } from "../facts/review.ts";
import { pullBucket, requestBucket } from "../projection/review-bucket.ts";
import type { Figure } from "../truth/figure.ts";
import { spoken } from "../truth/judge.ts";
import type { Reading } from "../truth/reading.ts";
import { type Asked, matches, sorted } from "./asked.ts";
import type { Level } from "./level.ts";
import { type Note, noteOf, telling } from "./telling.ts";

interface Review {
  key: string;
  kind: ReviewVerdict["kind"];
  bucket: Bucket;
  level: Level;
  order: Record<string, string | number>;
  where: Figure<Bucket>;
  why: Figure<string>;
  title: Figure<string>;
  by: Figure<string>;
  age: Figure<string>;
  review: Figure<string>;
}

export interface PullRow extends Review {
  repo: Figure<string>;
  number: Figure<string>;
  merge: Figure<string>;
  sensitive: Figure<string>;
}

export interface RequestRow extends Review {
  code: Figure<string>;
  tier: Figure<string>;
  decided: Figure<string>;
  missing: Figure<string>;
  expires: Figure<string>;
  digest: Figure<string>;
}

export interface ReviewView {
  pulls: PullRow[];
  requests: RequestRow[];
  pull_notes: Note[];
  request_notes: Note[];
}

export function reviewView(
  pulls: readonly Reading<readonly PullFact[]>[],
  requests: readonly Reading<readonly RequestFact[]>[],
  asked: Asked,
  now: Date,
): ReviewView {
  const wanted = ({ bucket, kind }: Review) =>
    asked.only === null || asked.only === bucket || asked.only === kind;
  return {
    pulls: sorted(
      pulls.flatMap((reading) =>
        reading.status === "unknown" ? [] : reading.value
          .filter(({ repo, title, author, number }) =>
            matches(asked.search, repo, title, author, `#${number}`)
          )
          .map((fact) => pullRow(reading, fact, now)).filter(wanted)
      ),
      asked.sort,
      "urgency",
    ),
    requests: sorted(
      requests.flatMap((reading) =>
        reading.status === "unknown" ? [] : reading.value
          .filter(({ tier }) => asked.tier === null || tier === asked.tier)
          .filter(({ code, goal, requester, task_id }) =>
            matches(asked.search, code, goal, requester, task_id)
          )
          .map((fact) => requestRow(reading, fact, now)).filter(wanted)
      ),
      asked.sort,
      "urgency",
    ),
    pull_notes: pulls.map((reading) => noteOf(reading, "pull requests")),
    request_notes: requests.map((reading) => noteOf(reading, "approval requests")),
  };
}

const byUrgency: readonly Bucket[] = ["blocked", "risky", "stale", "ready", "waiting"];

/** Judgement comes before routine, and within each what cannot go on by itself. */
const order = ({ kind, bucket }: ReviewVerdict, since: string, title: string) => ({
  urgency: (kind === "judgement" ? 0 : 10) + byUrgency.indexOf(bucket),
  bucket,
  age: since,
  title,
});

const levelOf = ({ bucket }: ReviewVerdict, reading: Reading<unknown>): Level =>
  bucket === "blocked"
    ? "red"
    : bucket === "risky" || bucket === "stale"
    ? "amber"
    : reading.status !== "live"
    ? "unknown"
    : bucket === "ready"
    ? "good"
    : "quiet";

const ageOf = (at: string, now: Date): string => spoken((now.getTime() - Date.parse(at)) / 1000);

function pullRow(reading: Reading<unknown>, fact: PullFact, now: Date): PullRow {
  const verdict = pullBucket(fact, now);
  const id = `${fact.repo}#${fact.number}`;
  const say = telling(reading, { id, href: fact.href });
  return {
    key: id,
    kind: verdict.kind,
    bucket: verdict.bucket,
    level: levelOf(verdict, reading),
    order: { ...order(verdict, fact.created_at, fact.title), repo: fact.repo },
    where: say(verdict.bucket),
    why: say(verdict.why.join("; ") || "nothing stands against it"),
    repo: say(fact.repo),
    number: say(`#${fact.number}`, { leads: true }),
    title: say(fact.title, { leads: true }),
    by: say(fact.author),
    age: say(ageOf(fact.created_at, now)),
    review: say(verdict.review),
    merge: say(verdict.merge),
    sensitive: say(fact.sensitive === null ? null : fact.sensitive.join(", ") || "no", {
      because: "what it changes could not be read",
    }),
  };
}

function requestRow(reading: Reading<unknown>, fact: RequestFact, now: Date): RequestRow {
  const verdict = requestBucket(fact, now);
  const say = telling(reading, { id: fact.code, href: fact.href });
  const decided = fact.decided.map(({ name, role, decision }) =>
    `${name} (${role}) ${decision === "approve" ? "yes" : "no"}`
  );
  const left_s = (Date.parse(fact.expires_at) - now.getTime()) / 1000;
  return {
    key: fact.code,
    kind: verdict.kind,
    bucket: verdict.bucket,
    level: levelOf(verdict, reading),
    order: { ...order(verdict, fact.requested_at, fact.goal), tier: fact.tier },
    where: say(verdict.bucket),
    why: say(verdict.why.join("; ") || "nothing stands against it"),
    code: say(fact.code, { leads: true }),
    tier: say(fact.tier),
    title: say(fact.goal, { leads: true }),
    by: say(fact.requester),
    age: say(ageOf(fact.requested_at, now)),
    review: say(verdict.review),
    decided: say(decided.join(", ") || "nobody yet"),
    missing: say(fact.missing.join(", ") || "nobody"),
    expires: say(left_s > 0 ? `in ${spoken(left_s)}` : `${spoken(-left_s)} ago`),
    digest: say(fact.digest.slice(0, 12)),
  };
}
