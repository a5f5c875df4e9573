import { mask } from "../../../functions/_domain/mask.ts";
import type { Issue, Mergeable } from "./repository.ts";
import type { Item, WirePull } from "./wire.ts";

export function issueOf(
  repo: string,
  repo_href: string,
  kind: "issues" | "pulls",
  row: Item,
): Issue {
  return {
    repo,
    number: row.number,
    title: mask(row.title),
    author: row.user?.login ?? null,
    href: hrefOf(row.html_url, `${repo_href}/${kind}/${row.number}`),
    labels: (row.labels ?? []).map(({ name }) => name),
    assignees: assigneesOf(row),
    milestone: row.milestone
      ? { title: row.milestone.title, due_at: row.milestone.due_on ?? null }
      : null,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

/** A link leads to the configured server or nowhere: a page that answers with another address must not send anybody there. */
function hrefOf(html_url: string | null | undefined, own: string): string {
  if (!html_url || !URL.canParse(html_url)) return own;
  const url = new URL(html_url);
  return url.origin === new URL(own).origin ? url.href : own;
}

function assigneesOf({ assignee, assignees }: Item): string[] {
  const logins = (assignees ?? []).map(({ login }) => login);
  return assignee && !logins.includes(assignee.login) ? [...logins, assignee.login] : logins;
}

/** After a push the server computes anew and says "no" meanwhile; a "no" this young may be just that. */
const computing_s = 120;

/**
 * Gitea's `mergeable` is false for a conflict, an error, work in progress and while it still computes; only a yes is plain.
 * Null or nothing is unknown.
 */
export function mergeableOf({ mergeable, updated_at }: WirePull, now: Date): Mergeable {
  if (mergeable === true) return "yes";
  if (mergeable === null || mergeable === undefined) return "unknown";
  return now.getTime() - Date.parse(updated_at) < computing_s * 1000 ? "unknown" : "no";
}

/** Work in progress: by the field, and where an older server has none, by the prefixes that Gitea knows. */
export const isDraft = ({ draft, title }: WirePull): boolean =>
  draft === true || /^\s*(?:wip:|\[wip\])/i.test(title);

const closing =
  /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s+(?:([\w.-]{1,100}\/[\w.-]{1,100}))?#(\d{1,9})\b/gi;

/** What it says it closes, in Gitea's own words, as owner/name#number. */
export function closesOf(repo: string, { title, body }: WirePull): string[] {
  const text = `${title}\n${(body ?? "").slice(0, 20_000)}`;
  const found = [...text.matchAll(closing)].map(([, other, number]) =>
    `${other ?? repo}#${number}`
  );
  return [...new Set(found)].slice(0, 50);
}
