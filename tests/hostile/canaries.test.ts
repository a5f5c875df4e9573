import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noDoor, noOutside } from "../support/outside.ts";
import { createJudge } from "../../functions/_channels/judge.ts";
import { readCommand } from "../../functions/_domain/telegram-command.ts";
import { mask, maskDeep } from "../../functions/_domain/mask.ts";
import { writeLog } from "../../functions/_edge/log.ts";
import { tick as communicate } from "../../functions/communicator/handler.ts";
import { handle as intake } from "../../functions/intake/handler.ts";
import { tick } from "../../functions/orchestrator/handler.ts";
import { agents } from "../../functions/orchestrator/roster.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { activate, addMember, handle, policy, policySha256, update } from "../support/line.ts";
import { canaries, type Canary, disguises, givesAway } from "./canary-texts.ts";

const items = canaries.flatMap((canary) =>
  Object.entries(disguises).map(([form, disguise]) => ({ canary, form, text: disguise(canary) }))
);
const frames = [
  (text: string) => text,
  (text: string) => `long at 67000, ${text} is mine, stop 65000`,
  (text: string) => `see\n${text}\nplease`,
];

const leaks = (place: string, only: Canary[] = canaries): string[] =>
  only.flatMap((canary) =>
    givesAway(place, canary).map((how) => `${canary.kind} ${canary.value.slice(0, 12)} ${how}`)
  );

describe(`${canaries.length} canaries in ${Object.keys(disguises).length} forms`, () => {
  it("are at least 50 in at least 6", () => {
    expect(canaries.length).toBeGreaterThanOrEqual(50);
    expect(new Set(canaries.map(({ value }) => value)).size).toBe(canaries.length);
    expect(Object.keys(disguises).length).toBeGreaterThanOrEqual(6);
  });

  it("do not get through the mask, whatever stands around them", () => {
    const through = items.flatMap(({ canary, form, text }) =>
      frames.flatMap((frame, i) =>
        givesAway(mask(frame(text)), canary).map(() => `${canary.kind} ${form} ${i} ${text}`)
      )
    );
    expect(through).toEqual([]);
  });

  it("do not get through it as a key or deep in a value either", () => {
    const nested = Object.fromEntries(items.map(({ text }, i) => [`${i} ${text}`, [{ text }]]));
    expect(leaks(JSON.stringify(maskDeep(nested)))).toEqual([]);
  });

  it("do not change the mask's mind the second time", () => {
    for (const { text } of items) expect(mask(mask(text))).toBe(mask(text));
  });

  it("do not reach a log line", () => {
    const lines: string[] = [];
    for (const { text } of items) {
      writeLog((line) => lines.push(line), new Date(0), {
        function: "intake",
        status: 500,
        ms: 1,
        task_id: text,
        outcome: text,
        code: text,
        error: `Error: could not read ${text}\n\u001b[31mat ${text}\u2028`,
      });
    }
    expect(leaks(lines.join("\n"))).toEqual([]);
    // deno-lint-ignore no-control-regex
    for (const line of lines) expect(line).not.toMatch(/[\n\r\u001b\u2028]/);
  });

  it("do not reach a model", async () => {
    const asked: string[] = [];
    const judge = createJudge({
      baseUrl: "https://llm.example/v1",
      model: "m",
      apiKey: null,
      fetch: (_, init) => {
        asked.push(String(init?.body));
        return Promise.resolve(new Response("{}"));
      },
    });
    for (const { text } of items) {
      await judge.score({
        goal: `Publish ${text}`,
        content: JSON.stringify({ summary: text, nested: [text] }),
        evidence: [text, JSON.stringify({ facts: [{ text }] })],
      });
    }
    expect(leaks(asked.join("\n"))).toEqual([]);
    expect(asked.length).toBeGreaterThan(items.length / 2);
  });

  it("do not reach a decision as its reason", () => {
    const read = items.map(({ text }) =>
      readCommand(`/approve T2-20260301-0001 no since ${text}`, null)
    );
    expect(leaks(JSON.stringify(read))).toEqual([]);
  });
});

describe("canaries that go all the way", () => {
  let db: TestDatabase;
  const logged: string[] = [];
  const sent: string[] = [];
  beforeAll(async () => {
    db = await openTestDatabase();
    await activate(db);
    await addMember(db, "operator", "olga", "1001");
  }, 60_000);
  afterAll(() => db?.close());

  const send = (path: string, body: string) =>
    intake(
      new Request(`http://localhost/functions/v1/intake${path}`, {
        method: "POST",
        headers: { authorization: "Bearer service" },
        body,
      }),
      {
        database: db.database,
        tokens: [{ name: "desk", token: "tv" }],
        service_token: "service",
        alert_action: "PUBLISH",
      } as never,
    ).then((response) => response.text()).then((text) => void logged.push(text));

  it("are in no row, no message and no answer", async () => {
    // Two to a field, since every task costs a walk down the whole line.
    for (let at = 0; at < items.length; at += 14) {
      const some = items.slice(at, at + 14).map(({ text }) => text);
      const texts = some.flatMap((text, i) =>
        i % 2 ? [] : [`${text} and ${some[i + 1] ?? "none"}`]
      );
      await send(
        "/tradingview/tv",
        JSON.stringify({ action: "buy", symbol: "BTCUSDT", price: 67000 + at, note: texts[0] }),
      );
      await send("/tradingview/tv", `buy BTCUSDT 67000 ${at} ${texts[1]}`);
      await send(
        "/tasks",
        JSON.stringify({
          source: "desk",
          actor: "desk",
          goal: `Handle ${texts[2]?.replace(/\p{C}/gu, "")}`.slice(0, 400),
          action: at % 2 ? "PUBLISH" : "SUMMARIZE",
          payload: { text: texts[3], deep: { list: [texts[4]] }, [`key ${texts[5]}`]: "x" },
        }),
      );
      await handle(
        db,
        update(
          "1001",
          readCommand(`/approve T2-20260301-0001 no since ${texts[6]}`, null) as never,
        ),
      );
    }
    const channel = (name: string) => {
      const say = ({ text }: { text: string }) => {
        sent.push(text);
        return Promise.resolve({ outcome: "sent", message_id: String(sent.length) });
      };
      return { name, send: say, edit: say };
    };
    let n = 0;
    const world = { ...noOutside, ...noDoor, database: db.database };
    const shared = { ...world, worker: "w", now: () => new Date(), budget_ms: 60_000 };
    const broken: typeof agents.retriever = (work, context) =>
      n++ % 3 === 0
        ? Promise.reject(new Error(`upstream said ${items[n % items.length].text}`))
        : agents.retriever(work, context);
    await tick({
      ...shared,
      service_token: "service",
      policy: { ok: true, policy, sha256: policySha256 },
      agents: { ...agents, retriever: broken },
      embed: () => Promise.resolve(Array(384).fill(0.05)),
      judge: null,
    } as never);
    await communicate(
      {
        ...shared,
        channels: { telegram: channel("telegram"), console: channel("console") },
        chat_id: "-100",
        policy_sha256: policySha256,
      } as never,
    );
    expect(sent.length).toBeGreaterThan(10);
    expect(leaks(sent.join("\n"))).toEqual([]);
    expect(leaks(logged.join("\n"))).toEqual([]);
    for (const { name, rows } of await everyTable(db)) {
      expect(leaks(rows).map((leak) => `${name}: ${leak}`)).toEqual([]);
    }
  }, 240_000);
});

async function everyTable(db: TestDatabase): Promise<{ name: string; rows: string }[]> {
  const tables = await db.owner<{ name: string }>(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'private')",
  );
  const found: { name: string; rows: string }[] = [];
  for (const { name } of tables) {
    const rows = await db.owner<{ row: unknown }>(`select to_jsonb(t) as row from ${name} t`);
    found.push({ name, rows: rows.map(({ row }) => JSON.stringify(row)).join("\n") });
  }
  return found;
}

describe("1,000 texts with nothing to hide", () => {
  const pick = <T>(all: readonly T[], i: number): T => all[i % all.length];
  const words = "retest momentum range breakout volume liquidity session squeeze trend pullback"
    .split(" ");
  const texts = Array.from({ length: 1000 }, (_, i) => {
    const price = (1000 + i * 37.25).toFixed(i % 5);
    const hash = Array.from({ length: 64 }, (_, at) => ((i * 31 + at * at * 7) % 16).toString(16))
      .join("");
    return pick([
      `Long BTCUSDT at ${price}, stop ${Number(price) - 12}, target ${
        Number(price) + 40
      }, R:R 2.${i}`,
      `order buy @ 0.${i} filled on EURUSD. New strategy position is -${i}`,
      `T-2026-03-01-${String(i).padStart(4, "0")} archived at 2026-03-01T12:${10 + i % 50}:00.000Z`,
      `sha256 ${hash} of artifact ${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${
        hash.slice(13, 16)
      }-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`,
      `${pick(words, i)} after the ${pick(words, i * 3 + 1)}, wait for ${
        pick(words, i * 7)
      } on ${i}m`,
      `https://www.tradingview.com/x/${hash.slice(0, 8)}/ and https://docs.example/a%20b?page=${i}`,
      `volume ${i * 1_234_567}, open interest ${i * 98_765}, funding 0.00${i % 90}%, ts ${
        1_759_054_500_000 + i
      }`,
      `Ticket ${i}: where do I find the key level, and is the token unlock on Friday?`,
      `commit ${hash.slice(0, 40)} by desk, build ${i}, duration ${i * 13} ms, exit code 0`,
      `EMA(9)/EMA(21) cross (close, 14, true), range ${price}-${Number(price) + 5}, size +${i}00`,
    ], i);
  });

  it("are masked in less than one of a hundred", () => {
    const masked = texts.filter((text) => mask(text) !== text);
    console.info(`false masks: ${masked.length} of ${texts.length}`);
    expect(masked.length, masked.slice(0, 5).join("\n")).toBeLessThanOrEqual(10);
  });
});
