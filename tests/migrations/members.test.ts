import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { announcement, reply } from "../../functions/_domain/notification.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  type Answer,
  handle,
  openCode,
  refusalsOf,
  sha256,
  signalAtGate,
  update,
} from "../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  clock = await freezeClock(db, "2027-07-01T10:00:00Z");
});
afterAll(() => db.close());

const admin = async (call: string, params: unknown[] = []): Promise<Answer> =>
  (await db.as<{ answer: Answer }>("administrator", `select api.${call} as answer`, params))[0]
    .answer;
const remove = (who: string) => admin("remove_member($1, 'test')", [who]);
const told = (topic: string) =>
  db.owner<{ recipient: string; payload: unknown }>(
    "select recipient, payload_json as payload from public.notifications where payload_json ->> 'topic' = $1 order by seq",
    [topic],
  );

describe("the first owner", () => {
  const wrong = (from: string, code: string) =>
    handle(db, update(from, { type: "start", pairing_code: code }));

  it("is not paired by a code that is no hash", async () => {
    expect(await admin("create_pairing_code($1)", ["secret"])).toMatchObject({
      refused: "invalid_request",
    });
  });

  it("is not found by trying: ten guesses a minute, whoever makes them, and all get the same answer", async () => {
    await admin("create_pairing_code($1)", [sha256("the code")]);
    for (let i = 0; i < 10; i++) {
      expect(await wrong(`80${i}`, `guess ${i}`)).toMatchObject({
        reply: "stranger",
        telegram_user_id: `80${i}`,
        refused: "pairing_failed",
      });
    }
    const eleventh = await wrong("811", "the code");
    expect(eleventh).toMatchObject({
      reply: "stranger",
      telegram_user_id: "811",
      refused: "rate_limited",
    });
    expect(await db.owner("select 1 from public.members")).toEqual([]);
    expect(
      await db.owner("select 1 from public.telegram_updates where intent::text like '%the code%'"),
    ).toEqual([]);
    await clock.advance(60);
  });

  it("is not paired by an older code, nor after a week", async () => {
    await admin("create_pairing_code($1)", [sha256("a newer code")]);
    expect(await wrong("801", "the code")).toMatchObject({ refused: "pairing_failed" });
    await clock.advance(7 * 86400);
    expect(await wrong("801", "a newer code")).toMatchObject({ refused: "pairing_failed" });
  });

  it("is paired once, by one person", async () => {
    await admin("create_pairing_code($1)", [sha256("one more")]);
    expect(await wrong("2001", "one more")).toMatchObject({ reply: "paired", role: "owner" });
    expect(await wrong("2002", "one more")).toMatchObject({ refused: "pairing_failed" });
    expect(await admin("create_pairing_code($1)", [sha256("again")])).toEqual({ needed: false });
    expect(await wrong("2002", "again")).toMatchObject({ refused: "pairing_failed" });
    expect(await handle(db, update("2001", { type: "start", pairing_code: null }))).toMatchObject({
      reply: "already_member",
    });
  });
});

describe("a member is not added", () => {
  it.each<[string, unknown]>([
    ["without a name", { role: "operator" }],
    ["with a name of two words", { role: "operator", name: "olga smith" }],
    ["with a role that does not exist", { role: "admin", name: "olga" }],
    ["without a role", { name: "olga" }],
    ["with a Telegram name for an id", {
      role: "operator",
      name: "olga",
      telegram_user_id: "@olga",
    }],
    ["with an account that is no uuid", { role: "operator", name: "olga", auth_user_id: "olga" }],
  ])("%s", async (_what, member) => {
    expect(await admin("add_member($1, 'test')", [JSON.stringify(member)])).toMatchObject({
      refused: "invalid_request",
    });
  });

  it("twice, under any spelling of the name and any role", async () => {
    await addMember(db, "operator", "olga", "1001");
    expect(await addMember(db, "operator", "OLGA", "1009")).toMatchObject({
      refused: "duplicate_member",
    });
    expect(await addMember(db, "owner", "olga2", "1001")).toMatchObject({
      refused: "duplicate_member",
    });
    expect(await addMember(db, "owner", "olga3", "1010", "nobody")).toMatchObject({
      refused: "not_found",
    });
    expect(await refusalsOf(db, "member:OLGA")).toEqual(["duplicate_member"]);
  });
});

describe("members", () => {
  it("that join or leave are announced to every owner, the leaving one too", async () => {
    await addMember(db, "owner", "oskar", "1002");
    expect((await told("member_added")).map(({ recipient }) => recipient).slice(-2).sort()).toEqual(
      ["1002", "2001"],
    );
    await remove("oskar");
    expect((await told("member_removed")).map(({ recipient }) => recipient).sort()).toEqual([
      "1002",
      "2001",
    ]);
    for (const { payload } of await told("member_removed")) {
      expect(announcement.parse(payload)).toMatchObject({
        name: "oskar",
        role: "owner",
        by: "test",
      });
    }
  });

  it("never lose their last owner", async () => {
    expect(await remove("2001")).toMatchObject({ refused: "last_owner" });
    expect(await remove("nobody")).toMatchObject({ refused: "not_found" });
    expect(await remove("nobody".repeat(50))).toMatchObject({ refused: "not_found" });
  });

  it("that come back are the person they were", async () => {
    const first = await addMember(db, "operator", "rolf", "1101");
    await remove("rolf");
    expect(await addMember(db, "owner", "rolf-again", "1101")).toMatchObject({
      person_id: first.person_id,
    });
    expect(await addMember(db, "operator", "rolf-phone", "1102", "rolf-again")).toMatchObject({
      person_id: first.person_id,
    });
    for (const name of ["rolf-again", "rolf-phone"]) await remove(name);
  });

  it("that the bot cannot reach are said to the others, listed as pending, and forgotten once reached", async () => {
    const taskId = await signalAtGate(db);
    const card =
      (await db.database.call<{ notification_id: string; task_id: string; kind: string }[]>(
        "claim_notifications",
        { p_worker: "t", p_limit: 100 },
      ))
        .find((item) => item.kind === "approval_card" && item.task_id === taskId)!;
    const complete = (outcome: string) =>
      db.database.call("complete_notifications", {
        p_results: [{ notification_id: card.notification_id, outcome, channel: "telegram" }],
      });
    await complete("blocked");
    expect((await told("member_unreachable")).map(({ recipient }) => recipient)).toEqual(["2001"]);
    const pending = reply.parse(await handle(db, update("2001", { type: "pending" })));
    expect(pending).toMatchObject({
      requests: [{ code: await openCode(db, taskId), summary: "Publish a signal" }],
      unreachable: [{ name: "olga", role: "operator" }],
    });
    await handle(db, update("1001", { type: "help" }));
    const next = (await db.database.call<{ notification_id: string; recipient: string }[]>(
      "claim_notifications",
      { p_worker: "t", p_limit: 100 },
    ))
      .find(({ recipient }) => recipient === "1001")!;
    await db.database.call("complete_notifications", {
      p_results: [{
        notification_id: next.notification_id,
        outcome: "sent",
        message_id: "1",
        channel: "telegram",
      }],
    });
    expect(
      await db.owner(
        "select 1 from public.members where unreachable_since is not null and status = 'active'",
      ),
    ).toEqual([]);
  });

  it("who alone could decide hear of it when nobody may: the owners are told", async () => {
    await accept(db, alertEvent("BUY SELF", { actor: "telegram:1001" }));
    const before = (await told("no_approver")).length;
    await signalAtGate(db, { actor: "telegram:1001" });
    expect((await told("no_approver")).length).toBeGreaterThan(before);
  });
});

describe("updates", () => {
  it("are refused with a value when they have no shape", async () => {
    for (
      const more of [{ update_id: null }, { update_id: "x" }, { intent: null }, {
        intent: "approve",
      }, { channel: "sms" }]
    ) {
      expect(await handle(db, update("1001", { type: "help" }, more))).toMatchObject({
        refused: "invalid_request",
      });
    }
  });

  it("count once by their id, in whatever order they come", async () => {
    for (const update_id of ["900", "3", "900", "17", "3", "900"]) {
      await handle(db, update("1001", { type: "help" }, { update_id }));
    }
    expect(
      await db.owner(
        "select update_id from public.telegram_updates where update_id in ('900', '3', '17') order by received_at",
      ),
    ).toHaveLength(3);
  });

  it("of one account are slowed down, and still recorded", async () => {
    await clock.advance(600);
    let refused = 0;
    for (let i = 0; i < 62; i++) {
      if ((await handle(db, update("1001", { type: "help" }))).refused === "rate_limited") {
        refused++;
      }
    }
    expect(refused).toBe(2);
    expect(
      await db.owner(
        "select 1 from public.telegram_updates where code = 'rate_limited' and from_id = '1001'",
      ),
    ).toHaveLength(2);
    expect(await handle(db, update("2001", { type: "help" }))).toMatchObject({ reply: "help" });
  });

  it("too large to keep are counted without their receipt", async () => {
    const big = update("2001", { type: "help" }, { receipt: { text: "x".repeat(70_000) } });
    expect(await handle(db, big)).toMatchObject({ reply: "help" });
    expect(
      await db.owner(
        "select receipt ->> 'receipt' as receipt from public.telegram_updates where update_id = $1",
        [big.update_id],
      ),
    )
      .toEqual([{ receipt: "too large to keep" }]);
  });

  it("are answered in the form that the replies are read in", async () => {
    await clock.advance(600);
    const taskId = await signalAtGate(db);
    expect(reply.parse(await handle(db, update("2001", { type: "status", id: taskId }))))
      .toMatchObject({ reply: "status", task_id: taskId, summary: "Publish a signal" });
    expect(reply.parse(await handle(db, update("2001", { type: "status", id: "T-1" }))))
      .toMatchObject({ reply: "refused", refused: "not_found" });
    expect(reply.parse(await handle(db, update("9999", { type: "start", pairing_code: null }))))
      .toEqual({ reply: "stranger", telegram_user_id: "9999" });
    expect(await handle(db, update("9999", { type: "status", id: taskId }))).not.toHaveProperty(
      "reply",
    );
  });
});
