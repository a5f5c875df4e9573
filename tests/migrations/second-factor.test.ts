import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  type Answer,
  decideUpdate,
  openCode,
  runToGate,
  signalAtGate,
  update,
} from "../support/line.ts";
import { administer } from "../support/personas.ts";

let db: TestDatabase;
let clock: FrozenClock;
const sealed = "A".repeat(64);
/** A whole number of half minutes. */
const start = "2027-05-01T10:00:00Z";
let step: number;

beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  await addMember(db, "owner", "oskar", "1002");
  await addMember(db, "operator", "udo", "1003");
  clock = await freezeClock(db, start);
});
let hours = 0;
beforeEach(async () => {
  const at = Date.parse(start) + ++hours * 3_600_000;
  await clock.set(new Date(at).toISOString());
  step = at / 30_000;
  await demand({ required: ["T3"], wrong_codes: 5, window_minutes: 15 });
  await enroll("olga");
  await enroll("oskar");
});
afterAll(() => db.close());

const enroll = (who: string, ciphertext: string | null = sealed) =>
  administer(db, "enroll_second_factor($1, $2, 'cli:jane')", [who, ciphertext]);

/** In place, so that what is planned meanwhile stays planned under the active policy. */
const demand = (second_factor: unknown) =>
  db.owner(
    "update public.policies set body = jsonb_set(body, '{second_factor}', $1) where status = 'active'",
    [JSON.stringify(second_factor)],
  );

async function trade(): Promise<string> {
  const { task_id } = await accept(
    db,
    alertEvent(`trade ${Math.random()}`, { source: "desk", action: "TRADE" }),
  );
  await runToGate(db);
  return await openCode(db, task_id as string);
}

/** What the database makes of a decision whose code the door has compared. */
const say = (
  code: string,
  proof: unknown,
  { from = "1001", decision = "approve", ...more }: Record<string, unknown> = {},
): Promise<Answer> =>
  decideUpdate(
    db,
    update(String(from), { type: "approve", code, decision, reason: null }, {
      second_factor: proof,
      ...more,
    }),
  );
const right = (at = step) => ({ valid: true, step: at });
const wrong = { valid: false, step: null };
const guess = async (code: string, times: number) => {
  for (let i = 0; i < times; i++) {
    expect(await say(code, wrong)).toMatchObject({ refused: "second_factor_wrong" });
  }
};

describe("a yes to T3 is refused", () => {
  it.each([
    ["without a code", null],
    ["without an answer of the door", "yes"],
    ["with an answer that says nothing", {}],
    ["where the seed could not be opened", { valid: null, step: null }],
    ["with the word for a yes instead of one", { valid: "true", step: 1 }],
  ])("%s", async (_, proof) => {
    const code = await trade();
    expect(await say(code, proof)).toMatchObject({ refused: "second_factor_required", code });
    expect(await say(code, right())).toMatchObject({ status: "open" });
  });

  it("with a wrong code, and with a right one that names no step", async () => {
    const code = await trade();
    expect(await say(code, wrong)).toMatchObject({ refused: "second_factor_wrong" });
    for (const odd of [undefined, null, "", -1, 1.5, "9".repeat(13), "1e9"]) {
      await enroll("olga");
      expect(await say(code, { valid: true, step: odd }), String(odd)).toMatchObject({
        refused: "second_factor_wrong",
      });
    }
  });

  it("from somebody who never enrolled, whatever the door says", async () => {
    expect(await say(await trade(), right(), { from: "1003" })).toMatchObject({
      refused: "second_factor_required",
    });
  });

  it("from somebody whose authenticator was removed", async () => {
    const code = await trade();
    await administer(db, "remove_second_factor('olga', 'cli:jane')");
    expect(await say(code, right())).toMatchObject({ refused: "second_factor_required" });
  });

  it("with a code of two steps before or after this clock's, and taken at both edges", async () => {
    const code = await trade();
    for (const off of [-2, 2]) {
      expect(await say(code, right(step + off))).toMatchObject({ refused: "second_factor_wrong" });
    }
    await clock.advance(29.999);
    expect(await say(code, right(step - 1))).toMatchObject({ status: "open" });
    const next = await trade();
    await clock.advance(0.001);
    expect(await say(next, right(step - 1), { from: "1002" })).toMatchObject({
      refused: "second_factor_wrong",
    });
    expect(await say(next, right(step + 2), { from: "1002" })).toMatchObject({ status: "open" });
  });

  it("with a code that was used, for the same request or another, and with an older one", async () => {
    const [first, second] = [await trade(), await trade()];
    expect(await say(first, right())).toMatchObject({ status: "open" });
    expect(await say(second, right())).toMatchObject({ refused: "second_factor_wrong" });
    expect(await say(second, right(step - 1))).toMatchObject({ refused: "second_factor_wrong" });
    await clock.advance(30);
    expect(await say(second, right())).toMatchObject({ refused: "second_factor_wrong" });
    expect(await say(second, right(step + 1))).toMatchObject({ status: "open" });
  });

  it("with a code that another enrolment of the same member used up", async () => {
    const [first, second] = [await trade(), await trade()];
    await say(first, right());
    expect(await enroll("olga")).toMatchObject({ replaced: true });
    expect(await say(second, right())).toMatchObject({ refused: "second_factor_wrong" });
  });

  it("once more for the same update, whose code then is not used twice", async () => {
    const code = await trade();
    const one = update("1001", { type: "approve", code, decision: "approve", reason: null }, {
      second_factor: wrong,
    });
    expect(await decideUpdate(db, one)).toMatchObject({ refused: "second_factor_wrong" });
    for (let i = 0; i < 6; i++) {
      expect(await decideUpdate(db, one)).toMatchObject({ outcome: "duplicate" });
    }
    expect(await say(code, right())).toMatchObject({ status: "open" });
  });
});

describe("guessing", () => {
  it("locks after five wrong codes within the window, the right code included, and says so once", async () => {
    const code = await trade();
    await guess(code, 5);
    expect(await say(code, right())).toMatchObject({ refused: "second_factor_locked" });
    expect(await say(code, wrong)).toMatchObject({ refused: "second_factor_locked" });
    const alerts = await db.owner(
      "select severity, value, seen from public.alerts where code = 'second_factor_locked' and subject = 'member:olga'",
    );
    expect(alerts).toEqual([{ severity: "critical", value: "5", seen: 1 }]);
  });

  it("stays locked to the last moment of the window, and no longer for being tried meanwhile", async () => {
    const code = await trade();
    await guess(code, 5);
    await clock.advance(15 * 60 - 0.001);
    expect(await say(code, right(step + 30))).toMatchObject({ refused: "second_factor_locked" });
    await clock.advance(0.001);
    expect(await say(code, right(step + 30))).toMatchObject({ status: "open" });
  });

  it("counts what lies within the window alone", async () => {
    const code = await trade();
    await guess(code, 4);
    await clock.advance(15 * 60);
    await guess(code, 4);
    expect(await say(code, right(step + 30))).toMatchObject({ status: "open" });
  });

  it("is not forgotten for a right code in between", async () => {
    const [first, second] = [await trade(), await trade()];
    await guess(first, 4);
    expect(await say(first, right())).toMatchObject({ status: "open" });
    await guess(second, 1);
    expect(await say(second, right(step + 1))).toMatchObject({ refused: "second_factor_locked" });
  });

  it("locks the member who is guessed for, and nobody else", async () => {
    const code = await trade();
    await guess(code, 5);
    expect(await say(code, right(), { from: "1002" })).toMatchObject({ status: "open" });
  });

  it("tells nothing where there is nothing to decide", async () => {
    const code = await trade();
    for (let i = 0; i < 6; i++) {
      expect(await say("T3-20270501-9999", wrong)).toMatchObject({ refused: "unknown_request" });
    }
    expect(await say(code, right())).toMatchObject({ status: "open" });
    expect(await say(code, wrong)).toMatchObject({ refused: "already_decided" });
  });

  it("follows the policy's number and window", async () => {
    await demand({ required: ["T3"], wrong_codes: 2, window_minutes: 1 });
    const code = await trade();
    await guess(code, 2);
    expect(await say(code, right())).toMatchObject({ refused: "second_factor_locked" });
    await clock.advance(60);
    expect(await say(code, right(step + 2))).toMatchObject({ status: "open" });
  });

  it("raises an alert, and counts nothing, where the seed cannot be opened", async () => {
    const code = await trade();
    for (let i = 0; i < 6; i++) await say(code, { valid: null, step: null });
    const alerts = await db.owner(
      "select severity from public.alerts where code = 'second_factor_unreadable' and subject = 'member:olga'",
    );
    expect(alerts).toEqual([{ severity: "critical" }]);
    expect(await say(code, right())).toMatchObject({ status: "open" });
  });
});

describe("the policy", () => {
  it.each([{ required: [] }, {}, null, { required: "T2" }])(
    "cannot take T3 out: %j",
    async (says) => {
      await demand(says);
      expect(await say(await trade(), null)).toMatchObject({
        refused: "second_factor_required",
      });
    },
  );

  it("can put T2 in", async () => {
    await demand({ required: ["T2", "T3"], wrong_codes: 5, window_minutes: 15 });
    const signal = await openCode(db, await signalAtGate(db));
    expect(await say(signal, null)).toMatchObject({ refused: "second_factor_required" });
    expect(await say(signal, right())).toMatchObject({ status: "approved" });
  });

  it("asks nobody for a code at T2 as it is shipped", async () => {
    const signal = await openCode(db, await signalAtGate(db));
    expect(await say(signal, null)).toMatchObject({ status: "approved" });
  });

  it("demands one where no tier can be named", async () => {
    const [row] = await db.owner("select private.second_factor_demanded(null) as demanded");
    expect(row).toEqual({ demanded: true });
  });
});

describe("a no", () => {
  it("needs no code, and uses none up", async () => {
    const [first, second] = [await trade(), await trade()];
    expect(await say(first, null, { decision: "reject" })).toMatchObject({ status: "rejected" });
    const told = right();
    expect(await say(second, told, { decision: "reject", from: "1002" })).toMatchObject({
      status: "rejected",
    });
    expect(await say(await trade(), told, { from: "1002" })).toMatchObject({ status: "open" });
  });

  it("is said by whoever is locked out or lost the device", async () => {
    const code = await trade();
    await guess(code, 5);
    expect(await say(code, null, { decision: "reject" })).toMatchObject({ status: "rejected" });
  });
});
