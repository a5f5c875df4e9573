import { type DecidingPolicy, decidingPolicyOf } from "../../functions/_policy/policy-domain.ts";
import {
  countOf,
  type Group,
  type Replay,
  replayer,
  type StoredDecision,
} from "../../functions/_policy/policy-replay.ts";
import { Sentence } from "../stack/sentence.ts";
import { tableText } from "./output.ts";
import { policyFrom } from "./policy-file.ts";
import { readAsAuditor, type Reading } from "./policy-pages.ts";
import { progress } from "./progress.ts";

export interface ReplayOptions {
  head?: string;
  /** The command line's parser turns what looks like a number into one. */
  since?: string | number;
  failOn?: string;
  json?: boolean;
}

const ways = ["loosened", "tightened", "not_reproduced"] as const;
type Way = typeof ways[number];

/** Takes the decisions on record again; exits 1 on what `--fail-on` names. */
export async function replay({ head, since, failOn, json }: ReplayOptions): Promise<void> {
  if (!head) throw new Sentence("Say which policy is new: policy replay --head new.yaml");
  const failing = waysOf(failOn);
  const from = since === undefined ? undefined : String(since);
  const next = await policyFrom(head);
  const policy = decidingPolicyOf(next.policy);
  if (policy === null) throw new Sentence("policy_invalid: its deciding parts cannot be read");
  const started = performance.now();
  const report = await readAsAuditor((reading) =>
    replayFrom(reading, policy, { since: from, bar: (total) => progress("Replaying", total) })
  );
  const seconds = (performance.now() - started) / 1000;
  if (json) console.log(JSON.stringify({ head: next.sha256, ...report, seconds }));
  else console.log(`${reportText(report)}\nTook ${seconds.toFixed(1)} s.`);
  const failed = failing.filter((way) => countOf(report[way]) > 0);
  if (failed.length > 0) {
    throw new Sentence(
      `${failed.map((way) => `${countOf(report[way])} ${words[way]}`).join(", ")}.`,
    );
  }
}

const words = {
  loosened: "would be decided more loosely",
  tightened: "would be decided more strictly",
  not_reproduced: "cannot be reproduced",
};

function waysOf(text: string | undefined): Way[] {
  return (text === undefined ? [] : text.split(",")).map((part) => {
    const way = ways.find((one) => one === part.trim());
    if (way === undefined) throw new Sentence(`--fail-on takes ${ways.join(", ")}`);
    return way;
  });
}

interface Watched {
  since?: string;
  bar?: (total: number) => { at(done: number): void; end(): void };
}

/** Every decision since then, in the order in which they were taken, page by page. */
export async function replayFrom(
  reading: Reading,
  head: DecidingPolicy,
  { since, bar: show }: Watched = {},
): Promise<Replay> {
  const where = since === undefined ? "" : ` where decided_at >= ${sinceSql(since)}`;
  const policies = await reading.rows("select policy_sha256, body from public.policies");
  const [{ count }] = await reading.rows(
    `select count(*)::int as count from public.policy_decisions${where}`,
  );
  const bar = show?.(Number(count));
  const run = replayer(
    head,
    new Map(policies.map(({ policy_sha256, body }) => [String(policy_sha256), body])),
  );
  let done = 0;
  try {
    await reading.pages(
      `select gate, task_id, policy_sha256, inputs::text as inputs, outcome::text as outcome from public.policy_decisions${where} order by seq`,
      (rows) => {
        for (const row of rows as unknown as StoredDecision[]) run.take(row);
        bar?.at(done += rows.length);
      },
    );
  } finally {
    bar?.end();
  }
  return run.report();
}

/** `90d`, `12h` or a date; nothing else becomes part of a statement. */
export function sinceSql(text: string): string {
  const [, amount, unit] = /^(\d{1,5})([dh])$/.exec(text) ?? [];
  if (amount !== undefined) {
    return `now() - interval '${amount} ${unit === "d" ? "days" : "hours"}'`;
  }
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) {
    return `timestamptz '${text} 00:00:00Z'`;
  }
  throw new Sentence(`--since takes 90d, 12h or 2026-01-31, not "${text}"`);
}

export function reportText(report: Replay): string {
  const { decisions, reproduced, not_reproduced, loosened, tightened } = report;
  const share = decisions === 0 ? "" : `, ${percent(reproduced, decisions)}`;
  return [
    decisions === 0
      ? "There is no decision on record."
      : `${reproduced} of ${decisions} decisions reproduced under the policy they were taken by${share}.`,
    ...section("Not reproduced", not_reproduced),
    ...section("Loosened", loosened),
    ...section("Tightened", tightened),
    ...(decisions > 0 && countOf(loosened) + countOf(tightened) === 0
      ? ["The new policy decides none of them differently."]
      : []),
  ].join("\n");
}

// Rounded down: what is not all is not 100 %.
const percent = (part: number, whole: number): string =>
  `${Math.floor(part / whole * 10_000) / 100} %`;

function section(title: string, groups: readonly Group[]): string[] {
  if (groups.length === 0) return [];
  const table = tableText({
    columns: ["count", "gate", "action", "how", "for example"],
    rows: groups.map(({ count, gate, action, how, examples }) => [
      count,
      gate,
      action,
      how,
      examples.join(" "),
    ]),
  });
  return ["", `${title}: ${countOf(groups)}`, table.replace(/\n\(\d+ rows?\)$/, "")];
}
