import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalize } from "../support/canonical.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  openCode,
  sha256,
  signalAtGate,
} from "../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  clock = await freezeClock(db, "2026-09-28T23:59:58Z");
});
afterAll(() => db.close());

let made = 0;
const next = async () => (await accept(db, alertEvent(`BUY ${made++}`))).task_id as string;

describe("task ids and request codes", () => {
  it("count from one each UTC day, in four digits", async () => {
    expect(await next()).toBe("T-2026-09-28-0001");
    expect(await next()).toBe("T-2026-09-28-0002");
    await clock.advance(2);
    expect(await next()).toBe("T-2026-09-29-0001");
  });

  it("never repeat when the clock steps back over midnight", async () => {
    await clock.set("2026-09-28T23:59:59Z");
    const late = await next();
    expect(late).toMatch(/^T-2026-09-28-\d{4}$/);
    expect(["T-2026-09-28-0001", "T-2026-09-28-0002"]).not.toContain(late);
  });

  it("widen after 9999", async () => {
    await clock.set("2026-10-01T08:00:00Z");
    await next();
    await db.owner(
      "select setval('private.task_numbers', (select base from private.day_bases where kind = 'task' and day = '2026-10-01') + 9998)",
    );
    expect(await next()).toBe("T-2026-10-01-9999");
    expect(await next()).toBe("T-2026-10-01-10000");
  });

  it("say tier and day, and have numbers of their own", async () => {
    await clock.set("2026-10-02T08:00:00Z");
    expect(await openCode(db, await signalAtGate(db))).toBe("T2-20261002-0001");
    expect(await openCode(db, await signalAtGate(db))).toBe("T2-20261002-0002");
  });

  it("are unique under a clock that jumps about", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 12 }),
        async (days) => {
          const ids: string[] = [];
          for (const day of days) {
            await clock.set(`2026-11-0${day}T12:00:00Z`);
            const [{ id }] = await db.owner<{ id: string }>(
              "select private.dated_id('T', '-', 'task', 'private.task_numbers', private.now()) as id",
            );
            ids.push(id);
          }
          expect(new Set(ids).size).toBe(ids.length);
          days.forEach((day, i) => expect(ids[i]).toContain(`-11-0${day}-`));
        },
      ),
      { numRuns: 20 },
    );
  });
});

const canonical = async (value: unknown) =>
  (await db.owner<{ text: string }>("select private.canonical_json($1::jsonb) as text", [
    JSON.stringify(value),
  ]))[0].text;

describe("canonical JSON", () => {
  it.each([
    ['"plain"', '"plain"'],
    ['{"b":"2","a":"1"}', '{"a":"1","b":"2"}'],
    ['{"a":{"z":[],"y":{}},"Z":null}', '{"Z":null,"a":{"y":{},"z":[]}}'],
    ['["\\u000a\\u0009\\"\\\\/"]', '["\\n\\t\\"\\\\/"]'],
    ['["\\u001f\\u007fé🙂\\u2028"]', '["\\u001f\u007fé🙂\u2028"]'],
    ['{"aa":"2","a":"1","a b":"3","A":true}', '{"A":true,"a":"1","a b":"3","aa":"2"}'],
  ])("of %s is %s", async (given, wanted) => {
    expect(await canonical(JSON.parse(given))).toBe(wanted);
    expect(canonicalize(JSON.parse(given))).toBe(wanted);
  });

  it("has this digest", async () => {
    const [{ digest }] = await db.owner<{ digest: string }>(
      `select private.digest_json('{"b": ["x", null], "a": "ü"}') as digest`,
    );
    expect(digest).toBe(sha256('{"a":"ü","b":["x",null]}'));
    expect(digest).toBe("ef0e33e430aa01bda07159416bff0de40f3025511d6d6d2a81f2dfcb8e8f20e2");
  });

  it.each(['{"a":1}', "[0.1]", '{"a":{"b":[1e3]}}', '{"ключ":"x"}'])(
    "refuses %s",
    async (given) => {
      await expect(canonical(JSON.parse(given))).rejects.toBeTruthy();
    },
  );

  it("is what RFC 8785 makes of every value that it takes", async () => {
    const key = fc.string({ unit: "grapheme-ascii", maxLength: 6 });
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constant(null),
        fc.boolean(),
        fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !text.includes("\0")),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(key, tie("value"), { maxKeys: 5 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(value, async (sample) => {
        expect(await canonical(sample)).toBe(canonicalize(sample));
      }),
      { numRuns: 300 },
    );
  });
});
