import { type JsonNode, readJson } from "./alert-json.ts";
import { isSecretKey } from "./alert-key.ts";
import { isCommand } from "./alert-word.ts";
import { mask } from "./mask.ts";

export const removed = "[removed]";

// A field that holds a secret, in whatever notation: `secret: x`, `"secret" = 'x'`, `\"api_key\":\"x\"`.
// The separator may be missing between quotes, because half a JSON still must not give its secret away.
const named =
  /(?:(?<=\\)[nrt])?([A-Za-z][A-Za-z0-9_.-]{0,63}(?: (?:key|token|id|secret|phrase|word))?)(\\{0,4}["'“”‘’]{0,2}[ \t]{0,8}(?:[:=,]>?[ \t\r\n]{0,8}\\{0,4}["'“”‘’{[]{0,3}|[ \t\r\n]{0,8}\\{0,4}["'“”‘’]))/g;
const jsonLike = /\{|["”]\s{0,8}:/;
const certain = /pass|secret|api|licen|private|credential|mnemonic|auth|bearer/i;

/**
 * The text without its secrets, in three passes: fields whose name says so, then whatever looks like a key or a
 * person's data, then every other place where a removed value stood. `depth` bounds text in JSON in text.
 */
export function withoutSecrets(text: string, depth = 0): string {
  const found = new Set<string>();
  let clean = text;
  const read = depth < 3 && /^[\s\ufeff"]{0,8}[{[]/.test(text) ? readJson(text) : null;
  if (read?.ok) clean = rewrite(text, read.node, read.comments, found, depth);
  else clean = withoutNamed(withoutLicence(text, found), jsonLike.test(text), found);
  clean = mask(clean);
  // Short ones would tear holes into everything else; longest first, so that none leaves a rest.
  const longest = [...found].filter((value) => value.length >= 6 && value !== removed)
    .sort((a, b) => b.length - a.length).slice(0, 64);
  for (const value of longest) clean = clean.replaceAll(value, removed);
  return clean;
}

/** Replaces spans of the original, so that what is kept is what was sent. */
function rewrite(
  text: string,
  root: JsonNode,
  comments: { start: number; end: number }[],
  found: Set<string>,
  depth: number,
): string {
  const edits = comments.map((span) => ({ ...span, by: "" }));
  const visit = (node: JsonNode) => {
    if (node.type === "object") {
      for (const { key, value } of node.entries) {
        const plain = withoutSecrets(key.text, 3);
        if (plain !== key.text) edits.push({ ...key, by: JSON.stringify(plain) });
        if (isSecretKey(key.text)) drop(value);
        else visit(value);
      }
    } else if (node.type === "array") node.items.forEach(visit);
    else {
      const plain = withoutSecrets(node.text, depth + 1);
      if (plain !== node.text) {
        edits.push({ start: node.start, end: node.end, by: JSON.stringify(plain) });
      }
    }
  };
  const drop = (node: JsonNode) => {
    collect(node, text, found);
    edits.push({ start: node.start, end: node.end, by: `"${removed}"` });
  };
  visit(root);
  edits.sort((a, b) => a.start - b.start);
  const parts: string[] = [];
  let at = 0;
  for (const edit of edits) {
    if (edit.start < at) continue; // a comment inside a removed value
    parts.push(text.slice(at, edit.start), edit.by);
    at = edit.end;
  }
  return parts.join("") + text.slice(at);
}

function collect(node: JsonNode, text: string, found: Set<string>): void {
  if (node.type === "object") node.entries.forEach(({ value }) => collect(value, text, found));
  else if (node.type === "array") node.items.forEach((item) => collect(item, text, found));
  else {
    found.add(node.text);
    if (node.type === "string") found.add(text.slice(node.start + 1, node.end - 1));
  }
}

/** `broken`: the text wants to be JSON and is none, so where a value ends is a guess; the guess is the line's end. */
function withoutNamed(text: string, broken: boolean, found: Set<string>): string {
  const parts: string[] = [];
  let at = 0;
  for (const match of text.matchAll(named)) {
    const [whole, key, joint] = match;
    if (match.index < at || !isSecretKey(key)) continue;
    if (!broken && !/[:=]/.test(joint) && !certain.test(key)) continue;
    const start = match.index + whole.length;
    const end = valueEnd(text, start, joint, broken, certain.test(key));
    if (end === start) continue;
    found.add(text.slice(start, end).replace(/(?<![\s\\"'“”‘’])[\s\\"'“”‘’]{1,32}$/, ""));
    parts.push(text.slice(at, start), removed);
    at = end;
  }
  return parts.join("") + text.slice(at);
}

function valueEnd(
  text: string,
  start: number,
  joint: string,
  broken: boolean,
  sure: boolean,
): number {
  const end = (pattern: RegExp, from: number) => {
    const found = text.slice(from).search(pattern);
    return found < 0 ? text.length : from + found;
  };
  if (text.startsWith(removed, start)) return start;
  if (broken) return end(/[\r\n]/, start);
  const quote = /["'“”‘’]$/.exec(joint)?.[0];
  if (quote === '"') return end(/(?<!\\)"|[\r\n]/, start);
  if (quote === "'") return end(/(?<!\\)'|[\r\n]/, start);
  if (quote) return end(/[“”‘’\r\n]/, start);
  // `Money Token: order buy …` is the name of a strategy; a value is one word unless the name leaves no doubt.
  return sure ? end(/[,;&|\r\n"]|\\n/, start) : end(/[\s,;&|"]/, start);
}

/** `60123456789012,buy,EURUSD,…`: the licence that heads a command line is as good as a password. */
function withoutLicence(text: string, found: Set<string>): string {
  const match = /^[\s"\ufeff]{0,8}([^,\s"]{3,256})[ \t]{0,8},([^,\r\n]{0,64})(?:,([^,\r\n]{0,64}))?/
    .exec(text);
  if (!match) return text;
  const [whole, head, command, third = ""] = match;
  const numeric = /^\d{10,}$/.test(head) || (/^\d{5,}$/.test(head) && isCommand(command.trim()));
  const commanded = isCommand(command.trim());
  // Nobody knows what such a line is, so its head is worth nothing but a risk; `1000PEPEUSDT,buy` is an instrument.
  const opaque = head.length >= 8 && (/[\d_]/.test(head) || /^[A-Z]{8,}$/.test(head)) &&
    !/\s\S+\s/.test(command);
  const licence = numeric ||
    (commanded
      ? /[A-Za-z]{3}/.test(third) && !third.includes("=") || (opaque && /[a-z]/.test(head))
      : opaque);
  if (!licence || isCommand(head) || head === removed) return text;
  found.add(head);
  const start = match.index + whole.indexOf(head);
  return text.slice(0, start) + removed + text.slice(start + head.length);
}
