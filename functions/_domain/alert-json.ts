// What TradingView sends is often nearly JSON: a comment left in the template, a placeholder without quotes, the NaN of
// Pine's `na`, quotes that a word processor bent. This reads JSON and repairs what has one meaning only. Numbers stay
// text, objects stay lists of entries (`__proto__` is a name like any other), and every value knows where it stood.

interface Span {
  start: number;
  end: number;
}
export type JsonNode =
  & Span
  & (
    | { type: "object"; entries: { key: Key; value: JsonNode }[] }
    | { type: "array"; items: JsonNode[] }
    | { type: "string" | "number" | "boolean" | "null"; text: string }
  );
export type Key = Span & { text: string };
export type ReadJson =
  | { ok: true; node: JsonNode; repaired: boolean; comments: Span[] }
  | { ok: false; reason: string };

const maxDepth = 16;
const maxNodes = 1024;

class Malformed extends Error {}

/** Linear in the text's length: every character is looked at a bounded number of times. */
export function readJson(text: string): ReadJson {
  const reader = new Reader(text);
  try {
    const node = reader.whole();
    return { ok: true, node, repaired: reader.repaired, comments: reader.comments };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, reason: error.message };
    throw error;
  }
}

const closing: Record<string, string> = {
  '"': '"',
  "'": "'",
  "“": '”“"',
  "”": '”"',
  "„": '“”"',
  "‘": "’'",
  "’": "’'",
};
const escapes: Record<string, string> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  "/": "/",
  "\\": "\\",
  '"': '"',
};
const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const looseNumber = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const nothing = /^(NaN|[+-]?Infinity|na|n\/a|None|undefined|nil|NULL|Null)$/;
const word = /^[A-Za-z0-9_.\/!+%&^=#-]{1,128}$/;
const wordWithColon = /^([A-Za-z_]{2,20}:[A-Za-z0-9_.!\/-]{1,32}|\d{4}-\d\d-\d\dT[0-9:.]{4,18}Z?)$/;
const bareKey = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}( [A-Za-z0-9_.-]{1,32}){0,3}$/;

class Reader {
  repaired = false;
  comments: Span[] = [];
  private at = 0;
  private nodes = 0;
  constructor(private readonly text: string) {}

  whole(): JsonNode {
    this.space();
    const node = this.value(0);
    this.space();
    if (this.at < this.text.length) throw new Malformed("something follows the end of the JSON");
    return node;
  }

  private value(depth: number): JsonNode {
    if (depth > maxDepth) throw new Malformed("the JSON is nested too deeply");
    if (++this.nodes > maxNodes) throw new Malformed("the JSON has too many fields");
    const char = this.text[this.at];
    if (char === undefined) throw new Malformed("the JSON ends before it is complete");
    if (char === "{" && this.text[this.at + 1] !== "{") return this.object(depth);
    if (char === "[") return this.array(depth);
    if (Object.hasOwn(closing, char)) return { type: "string", ...this.string() };
    return this.bare();
  }

  private object(depth: number): JsonNode {
    const start = this.at++;
    const entries: { key: Key; value: JsonNode }[] = [];
    const seen = new Set<string>();
    for (this.space(); this.text[this.at] !== "}"; this.separator("}")) {
      const key = this.key();
      if (seen.has(key.text)) this.repaired = true;
      seen.add(key.text);
      this.space();
      if (this.text[this.at] !== ":") throw new Malformed("a field has no colon behind its name");
      this.at++;
      this.space();
      entries.push({ key, value: this.value(depth + 1) });
    }
    return { type: "object", entries, start, end: ++this.at };
  }

  private array(depth: number): JsonNode {
    const start = this.at++;
    const items: JsonNode[] = [];
    for (this.space(); this.text[this.at] !== "]"; this.separator("]")) {
      items.push(this.value(depth + 1));
    }
    return { type: "array", items, start, end: ++this.at };
  }

  /** A comma; or, as a repair, the line break in its place, or a comma before the closing bracket. */
  private separator(close: string): void {
    const broke = this.space();
    const char = this.text[this.at];
    if (char === close) return;
    if (char === ",") {
      this.at++;
      this.space();
      if (this.text[this.at] === close) this.repaired = true;
    } else if (char === undefined) throw new Malformed("the JSON ends before it is complete");
    else if (broke) this.repaired = true;
    else throw new Malformed("a comma is missing between two fields");
  }

  private key(): Key {
    const char = this.text[this.at];
    if (char === undefined) throw new Malformed("the JSON ends before it is complete");
    if (Object.hasOwn(closing, char)) return this.string();
    const start = this.at;
    while (this.at < this.text.length && !/[:,{}\[\]"\n]/.test(this.text[this.at])) this.at++;
    const text = this.text.slice(start, this.at).trimEnd();
    if (!bareKey.test(text)) throw new Malformed("a field's name cannot be read");
    this.repaired = true;
    return { text, start, end: start + text.length };
  }

  private string(): Key {
    const start = this.at;
    const open = this.text[this.at++];
    if (open !== '"') this.repaired = true;
    const parts: string[] = [];
    for (let from = this.at;; this.at++) {
      const char = this.text[this.at];
      if (char === undefined) throw new Malformed("a quotation mark is never closed");
      if (closing[open].includes(char)) {
        parts.push(this.text.slice(from, this.at++));
        return { text: parts.join(""), start, end: this.at };
      }
      if (char < " ") this.repaired = true;
      if (char !== "\\") continue;
      parts.push(this.text.slice(from, this.at), this.escape());
      from = this.at + 1;
    }
  }

  /** Leaves the position on the last character of the escape. */
  private escape(): string {
    const char = this.text[++this.at];
    if (char === undefined) throw new Malformed("a quotation mark is never closed");
    const code = this.text.slice(this.at + 1, this.at + 5);
    if (char === "u" && /^[0-9a-fA-F]{4}$/.test(code)) {
      this.at += 4;
      return String.fromCharCode(parseInt(code, 16));
    }
    if (Object.hasOwn(escapes, char)) return escapes[char];
    this.repaired = true;
    return char;
  }

  /** A value without quotes: it ends at a comma, a closing bracket, a line break or a comment. */
  private bare(): JsonNode {
    const start = this.at;
    for (; this.at < this.text.length; this.at++) {
      if (this.text.startsWith("{{", this.at)) {
        const end = this.text.indexOf("}}", this.at);
        if (end < 0 || end - this.at > 128) throw new Malformed("a placeholder is never closed");
        this.at = end + 1;
        continue;
      }
      if (/[,}\]\n\r{["“”]/.test(this.text[this.at])) break;
      if (
        /\s/.test(this.text[this.at]) && /^\/[/*]/.test(this.text.slice(this.at + 1, this.at + 3))
      ) break;
    }
    const text = this.text.slice(start, this.at).trimEnd();
    const span = { text, start, end: start + text.length };
    if (jsonNumber.test(text)) return { type: "number", ...span };
    if (text === "true" || text === "false") return { type: "boolean", ...span };
    if (text === "null") return { type: "null", ...span };
    this.repaired = true;
    if (text === "" || nothing.test(text)) return { type: "null", ...span };
    if (text.startsWith("{{")) return { type: "string", ...span };
    if (/^(True|False|TRUE|FALSE)$/.test(text)) {
      return { type: "boolean", ...span, text: text.toLowerCase() };
    }
    if (looseNumber.test(text)) return { type: "number", ...span };
    if (word.test(text) || wordWithColon.test(text)) return { type: "string", ...span };
    throw new Malformed("a text value without quotation marks can be read in more than one way");
  }

  /** Skips space and comments; true if a line ended on the way. */
  private space(): boolean {
    let broke = false;
    for (; this.at < this.text.length; this.at++) {
      const char = this.text[this.at];
      if (char === "\n" || char === "\r") broke = true;
      else if (char === "/" && /[/*]/.test(this.text[this.at + 1] ?? "")) this.comment();
      else if (!/\s|\ufeff/.test(char)) break;
    }
    return broke;
  }

  /** Leaves the position on the comment's last character, before the line break that ends it. */
  private comment(): void {
    const start = this.at;
    const line = this.text[this.at + 1] === "/";
    const found = line
      ? this.text.slice(start).search(/[\n\r]/)
      : this.text.indexOf("*/", start + 2) - start + 2;
    const end = line ? (found < 0 ? this.text.length : start + found) : start + found;
    if (end <= start + 1) throw new Malformed("a comment is never closed");
    this.repaired = true;
    this.comments.push({ start, end });
    this.at = end - 1;
  }
}
