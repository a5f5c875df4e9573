import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { readCommand } from "../../functions/_domain/telegram-command.ts";
import { readUpdate } from "../../functions/_domain/telegram.ts";
import { handle as intake } from "../../functions/intake/handler.ts";

// What is drawn like a letter, digit or sign of ours, and what is not drawn at all.
const drawnLike: Record<string, string> = {
  a: "аɑａ𝐚",
  e: "еｅ𝐞",
  o: "оοｏ",
  p: "рｐ",
  r: "ｒ𝐫",
  v: "ｖѵ",
  y: "уｙ",
  s: "ѕｓ",
  n: "ոｎ",
  t: "ｔт",
  T: "ТＴΤ",
  i: "іｉı",
  "0": "０٠𝟎",
  "1": "１١l",
  "2": "２۲𝟐",
  "-": "‐–−－",
  "/": "／⁄∕",
  " ": "\u00a0\u2003\u3000\u2028\u200b",
};
const unseen = [
  ..."\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u202d\u2066\u034f\u180e\0\u0001\u007f",
];

const valid = [
  "/approve T2-20260301-0012 yes",
  "/approve T3-20260301-0012 no too late",
  "/status T-2026-03-01-0012",
  "/pending",
];
const grammar =
  /^\/approve(?:@[A-Za-z0-9_]{1,32})? +T[0-3]-\d{8}-\d{4,9} +(?:yes|no)(?: +otp:\d{6})?(?:[ \n][^]*)?[ \n]*$/;
const decides = (text: string) => readCommand(text, "ags_bot").type === "approve";

describe("a command", () => {
  it("is not read from look-alikes of its letters", () => {
    const read: string[] = [];
    for (const text of valid.slice(0, 2)) {
      const head = text.indexOf(" ", 10) + 4;
      for (let at = 0; at < Math.min(head, text.length); at++) {
        for (const like of drawnLike[text[at]] ?? []) {
          const changed = text.slice(0, at) + like + text.slice(at + 1);
          if (decides(changed) && !grammar.test(changed)) read.push(changed);
        }
      }
    }
    expect(read).toEqual([]);
  });

  it("is not read through characters that nobody sees", () => {
    const read: string[] = [];
    for (const char of unseen) {
      for (let at = 0; at <= valid[0].length; at++) {
        const changed = valid[0].slice(0, at) + char + valid[0].slice(at);
        if (decides(changed)) read.push(JSON.stringify(changed));
      }
    }
    expect(read).toEqual([]);
  });

  it("decides exactly where the grammar, written down a second time, says so", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...valid,
        "/approve",
        "/APPROVE",
        "/аpprove",
        "@ags_bot",
        "T2-20260301-0012",
        "T4-20260301-0012",
        "yes",
        "no",
        "YES",
        " ",
        "\n",
        "\u00a0",
        "\u200b",
        "otp:123456",
      ),
      fc.string({ maxLength: 6, unit: "grapheme" }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (parts) => {
        const text = parts.join("");
        if (decides(text)) expect(text).toMatch(grammar);
      }),
      { numRuns: 20_000 },
    );
  });

  it("is read where it is spelt as the card spells it", () => {
    expect(valid.map((text) => readCommand(text, null).type)).toEqual([
      "approve",
      "approve",
      "status",
      "pending",
    ]);
  });
});

const prototypeKeys = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];
const deep = (depth: number, open: string, close: string) =>
  open.repeat(depth) + "1" + close.repeat(depth);
const bombs: [name: string, body: string][] = [
  ["a hundred thousand arrays", deep(100_000, "[", "]")],
  ["a hundred thousand objects", deep(100_000, '{"a":', "}")],
  ["seven thousand arrays", deep(7_000, "[", "]")],
  ["a list that never ends", "[".repeat(16_000)],
  ["many keys", `{${Array.from({ length: 1500 }, (_, i) => `"k${i}":1`).join()}}`],
  ["a key twice", '{"action":"READ","action":"TRADE","symbol":"A","symbol":"B"}'],
  ["a number beyond numbers", '{"price":1e400,"action":"buy","symbol":"BTCUSDT"}'],
  ["a NUL, written out", '{"note":"a\\u0000b","action":"buy","symbol":"BTCUSDT","price":1}'],
  ["a NUL as it is", '{"note":"a\0b","action":"buy","symbol":"BTCUSDT","price":1}'],
  ["half a surrogate pair", '{"note":"\\ud800","action":"buy","symbol":"BTCUSDT","price":1}'],
  ["prototype keys", `{${prototypeKeys.map((key) => `"${key}":{"polluted":"yes"}`).join()}}`],
  ["a prototype in a prototype", '{"constructor":{"prototype":{"polluted":"yes"}}}'],
  ["no JSON", "{"],
  ["a byte order mark", '\ufeff{"action":"READ"}'],
  ["nothing", ""],
  ["null", "null"],
];

describe("a body at a door", () => {
  const stored: unknown[] = [];
  afterEach(() => void stored.splice(0));
  const send = async (path: string, body: string, type = "application/json") => {
    const response = await intake(
      new Request(`http://localhost/functions/v1/intake${path}`, {
        method: "POST",
        headers: { authorization: "Bearer service", "content-type": type },
        body,
      }),
      {
        database: {
          call: (_: string, args: unknown) => {
            stored.push(args);
            return Promise.resolve({ task_id: "T-2026-03-01-0001", status: "created" });
          },
        },
        tokens: [{ name: "desk", token: "tv" }],
        service_token: "service",
        alert_action: "PUBLISH",
      } as never,
    );
    return response.status;
  };
  const unharmed = () => {
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(JSON.stringify(stored)).not.toContain("\\u0000");
    for (const args of stored) expect(JSON.stringify(args).isWellFormed()).toBe(true);
  };

  it.each(bombs)("is refused or stored in peace: %s", async (_, body) => {
    for (const path of ["/tradingview/tv", "/tasks", "/tasks/", "/"]) {
      expect(await send(path, body)).toBeLessThan(500);
    }
    unharmed();
  });

  it.each(bombs)("is refused within a task's payload or stored in peace: %s", async (_, body) => {
    const payload = body.startsWith("{") && body.endsWith("}") ? body : JSON.stringify({ body });
    const request =
      `{"source":"desk","actor":"desk","goal":"g","action":"READ","payload":${payload}}`;
    expect(await send("/tasks", request)).toBeLessThan(500);
    unharmed();
  });

  it.each(bombs)("is no update or one that asks for nothing: %s", (_, body) => {
    const update = readUpdate(body, "ags_bot");
    expect(update === null || update.intent.type === "ignored").toBe(true);
    unharmed();
  });

  it("pollutes no prototype, whatever keys it has", async () => {
    const key = fc.oneof(
      fc.constantFrom(...prototypeKeys, "polluted"),
      fc.string({ maxLength: 8 }),
    );
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constant("yes"),
        fc.integer(),
        fc.array(tie("node"), { maxLength: 3 }),
        fc.array(fc.tuple(key, tie("node")), { maxLength: 4 }).map((entries) =>
          `\u0001{${entries.map(([name, item]) => `${JSON.stringify(name)}:${written(item)}`)}}`
        ),
      ),
    })).node;
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    await fc.assert(
      fc.asyncProperty(value, async (node) => {
        const body = written(node);
        expect(await send("/tradingview/tv", body)).toBeLessThan(500);
        expect(await send("/tasks", `{"payload":${body},"goal":"g"}`)).toBeLessThan(500);
        readUpdate(`{"update_id":1,"message":${body}}`, null);
      }),
      { numRuns: 300 },
    );
    unharmed();
    expect(Object.getOwnPropertyNames(Object.prototype).length).toBe(before);
  });
});

/** JSON, keeping keys that an object literal would not. */
function written(node: unknown): string {
  if (typeof node === "string") {
    return node.startsWith("\u0001") ? node.slice(1) : JSON.stringify(node);
  }
  if (Array.isArray(node)) return `[${node.map(written).join()}]`;
  return JSON.stringify(node);
}
