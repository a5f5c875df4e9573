// Nothing of this may reach a message, the database or a log: controls, line and paragraph separators, the
// marks that reorder or hide text, lone surrogates (Postgres refuses them in jsonb).
// deno-lint-ignore no-control-regex
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
const deceptive =
  /[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff]/g;
const loneSurrogate = /\p{Surrogate}/gu;
// Blank to a reader although no control: fillers that would make an empty-looking value.
const fillers = /[\u115f\u1160\u3164\uffa0]/g;

/** Text without what hides, reorders or breaks; line breaks stay. */
export const clean = (text: string): string =>
  text.replace(/\r\n?/g, "\n").replace(controls, "").replace(deceptive, "").replace(fillers, "")
    .replace(loneSurrogate, "\ufffd");

/** At most `limit` UTF-16 units, never half a character; a cut is shown by an ellipsis. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return text.slice(0, Math.max(0, limit - 1)).replace(/[\ud800-\udbff]$/, "") + "…";
}

/**
 * One foreign value on one line of ours. Messages are plain text without a parse mode: nothing needs escaping
 * and no value can forge a line, a link or a markup error that would keep a card from arriving.
 */
export const line = (text: string, limit: number): string =>
  clip(clean(text).replace(/\s+/gu, " ").trim(), limit);

/** The one way a time is written to people: UTC, to the second, with its zone. */
export function utc(value: string | Date | null | undefined): string {
  if (value === null || value === undefined) return "unknown";
  const time = value instanceof Date ? value : new Date(value);
  if (Number.isNaN(time.getTime())) return "unknown";
  return `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** The longest text that Telegram takes in one message. */
export const messageLimit = 4096;
