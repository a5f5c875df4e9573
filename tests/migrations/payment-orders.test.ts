import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { activate, type Answer, policy, policyText } from "../support/line.ts";
import { check, checked, createOrder, order, pay, transfer } from "../support/payments.ts";

let db: TestDatabase;
let clock: FrozenClock;
let accounts = 881000;
const account = () => String(++accounts);
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  clock = await freezeClock(db, new Date().toISOString());
});
afterAll(() => db?.close());

const nowSeconds = async () =>
  Number(
    (await db.owner<{ at: string }>("select floor(extract(epoch from private.now())) as at"))[0].at,
  );

describe("the checklist", () => {
  it.each([
    ["no account", { telegram_user_id: null }],
    ["a name for an account", { telegram_user_id: "@someone" }],
    ["an item nobody knows", { item: "horoscope" }],
    ["an outcome nobody knows", { outcome: "perhaps" }],
    ["a note that is a letter", { note: "x".repeat(501) }],
  ])("refuses a check with %s", async (_, change) => {
    const value = { telegram_user_id: "881000", item: "identity", outcome: "passed", ...change };
    const [{ answer }] = await db.as<{ answer: Answer }>(
      "administrator",
      "select api.record_kyc_check($1, 'cli:test') as answer",
      [JSON.stringify(value)],
    );
    expect(answer.refused).toBe("invalid_request");
  });

  it("is passed by all three items, and failed by the newest word on one of them", async () => {
    const buyer = account();
    const status = [];
    for (
      const [item, outcome] of [
        ["identity", "passed"],
        ["sanctions", "passed"],
        [
          "source_of_funds",
          "passed",
        ],
        ["sanctions", "failed"],
        ["sanctions", "passed"],
      ]
    ) status.push((await check(db, buyer, item, outcome)).kyc_status);
    expect(status).toEqual(["pending", "pending", "passed", "failed", "passed"]);
    const rows = await db.owner(
      "select item, outcome, checked_by from public.kyc_checks where account_id = $1 order by seq",
      [`telegram:${buyer}`],
    );
    expect(rows).toHaveLength(5);
    expect(rows[0]).toEqual({ item: "identity", outcome: "passed", checked_by: "cli:test" });
  });

  it("is history: no row of it is changed or removed", async () => {
    for (
      const change of [
        "update public.kyc_checks set outcome = 'passed'",
        "delete from public.kyc_checks",
      ]
    ) {
      await expect(db.owner(change)).rejects.toThrow("history_is_append_only");
    }
  });
});

describe("a payment order", () => {
  it.each([
    ["no account", { buyer_telegram_id: "" }],
    ["a plan that the policy does not sell", { plan: "platinum" }],
    ["no plan", { plan: null }],
  ])("is refused with %s", async (_, change) => {
    const [{ answer }] = await db.as<{ answer: Answer }>(
      "administrator",
      "select api.create_order($1, 'cli:test') as answer",
      [JSON.stringify({ buyer_telegram_id: "881000", plan: "vip-30", ...change })],
    );
    expect(answer.refused).toBe("invalid_request");
  });

  it("is refused while the checklist of its buyer is not complete", async () => {
    const buyer = account();
    await check(db, buyer, "identity");
    expect((await createOrder(db, buyer)).refused).toBe("kyc_incomplete");
    await checked(db, buyer);
    await check(db, buyer, "sanctions", "failed");
    expect((await createOrder(db, buyer)).refused).toBe("kyc_incomplete");
  });

  it("may be made by nobody but an administrator", async () => {
    for (
      const call of [
        "create_order('{}')",
        "record_kyc_check('{}')",
        "list_orders()",
        "override_payment_limit('{}')",
      ]
    ) {
      for (const role of ["service_role", "authenticated", "anon"]) {
        await expect(db.as(role, `select api.${call}`)).rejects.toThrow("permission denied");
      }
    }
  });

  it("has the policy's price and 26 letters that nobody meets by guessing", async () => {
    const buyer = account();
    await checked(db, buyer);
    const made = await createOrder(db, buyer);
    expect(made).toMatchObject({
      status: "open",
      plan: "vip-30",
      days: 30,
      price: "10",
      currency: "TON",
      price_nano: "10000000000",
    });
    const rows = await db.owner<{ id: string }>(
      "select private.order_code() as id from generate_series(1, 1000)",
    );
    const ids = new Set(rows.map(({ id }) => id));
    expect(ids.size).toBe(1000);
    expect([...ids].every((id) => /^[a-z2-7]{26}$/.test(id))).toBe(true);
    // Every letter stands at every place sooner or later: no part of it is a counter.
    const first = new Set([...ids].map((id) => id[0]));
    const last = new Set([...ids].map((id) => id[25]));
    expect([first.size, last.size]).toEqual([32, 32]);
  });

  it("keeps its price when the policy changes it", async () => {
    const buyer = account();
    await checked(db, buyer);
    const before = await order(db, buyer);
    const dearer = structuredClone(policy);
    dearer.payments.plans["vip-30"].price = "12.5";
    await activate(db, `${policyText}\n# dearer`, dearer);
    expect((await createOrder(db, buyer)).price_nano).toBe("12500000000");
    expect((await pay(db, transfer(before))).outcome).toBe("accepted");
    await activate(db);
  });

  it("expires by the chain's clock, to the second", async () => {
    const buyer = account();
    await checked(db, buyer);
    await clock.set("2026-11-22T10:00:00Z");
    const [late, inTime] = [await order(db, buyer), await order(db, buyer)];
    const end = await nowSeconds() + 3600;
    await clock.advance(86_400);
    expect((await pay(db, transfer(late, { at: String(end) }))).refused).toBe("order_expired");
    expect((await pay(db, transfer(inTime, { at: String(end - 1) }))).outcome).toBe("accepted");
  });

  it("is not kept open by a chain that is ahead of the clock, nor by one transfer too little", async () => {
    const buyer = account();
    await checked(db, buyer);
    const id = await order(db, buyer);
    const future = String(await nowSeconds() + 86_400);
    expect((await pay(db, transfer(id, { at: future, amount_nano: "9999999999" }))).refused).toBe(
      "wrong_amount",
    );
    expect((await pay(db, transfer(id, { at: future }))).outcome).toBe("accepted");
    const [{ ahead }] = await db.owner<{ ahead: boolean }>(
      "select paid_at > private.now() as ahead from public.payment_orders where order_id = $1",
      [id],
    );
    expect(ahead).toBe(false);
  });

  it("tells a person of money that came and was not credited, and its buyer too", async () => {
    const buyer = account();
    await checked(db, buyer);
    const id = await order(db, buyer);
    const { tx_hash, ...short } = transfer(id, { amount_nano: "9500000000" });
    await pay(db, { tx_hash, ...short });
    const [alert] = await db.owner("select * from public.alerts where subject = $1", [
      `order:${id}`,
    ]);
    expect(alert).toMatchObject({
      code: "wrong_amount",
      severity: "warning",
      value: `9.5 TON, transaction ${tx_hash}`,
      threshold: "10 TON",
    });
    const told = await db.owner(
      "select payload_json from public.notifications where recipient = $1 order by seq",
      [buyer],
    );
    expect(told).toEqual([{
      payload_json: { reply: "payment_refused", refused: "wrong_amount", order_id: id },
    }]);
  });

  it("counts dust in one row, however much of it falls", async () => {
    const rows = () =>
      db.owner<{ seen: number }>(
        "select seen from public.alerts where code = 'unknown_order' and subject = 'payments'",
      );
    const before = (await rows())[0]?.seen ?? 0;
    for (let i = 0; i < 5; i++) await pay(db, transfer(null, { amount_nano: "1" }));
    expect(await rows()).toEqual([{ seen: before + 5 }]);
  });
});

describe("a verified payment", () => {
  it.each([
    ["no hash", { tx_hash: "" }],
    ["no body's hash", { body_sha256: "x" }],
    ["an amount that is a float", {
      transfer: { source: "0:00", amount_nano: "1e9", comment: null, at: "1" },
    }],
    ["a comment that is no order's id", {
      transfer: { source: "0:00", amount_nano: "1", comment: "Dear Sirs", at: "1" },
    }],
    ["no transfer", { transfer: null }],
  ])("is refused with %s, without a receipt", async (_, change) => {
    const buyer = account();
    await checked(db, buyer);
    expect((await pay(db, { ...transfer(await order(db, buyer)), ...change })).refused).toBe(
      "invalid_request",
    );
  });

  it("is asked for again while the chain does not show it, then left to a person", async () => {
    const { transfer: _, ...told } = transfer(null);
    const missing = {
      ...told,
      problem: { code: "payment_unverified", reason: "nothing there", missing: true },
    };
    expect((await pay(db, missing)).retry_after).toBe(60);
    await clock.advance(601);
    expect((await pay(db, missing)).retry_after).toBeUndefined();
    const alerts = await db.owner("select code from public.alerts where subject = $1", [
      `transaction:${told.tx_hash}`,
    ]);
    expect(alerts).toEqual([{ code: "payment_unverified" }]);
  });

  it("is history, and one transaction pays for one order alone", async () => {
    const buyer = account();
    await checked(db, buyer);
    const [one, two] = [await order(db, buyer), await order(db, buyer)];
    const paid = transfer(one);
    expect((await pay(db, paid)).outcome).toBe("accepted");
    const again = { ...paid, transfer: { ...paid.transfer, comment: two } };
    expect((await pay(db, again)).refused).toBe("payment_replayed");
    for (const change of ["update public.payments set amount = 1", "delete from public.payments"]) {
      await expect(db.owner(change)).rejects.toThrow("history_is_append_only");
    }
  });

  it("asks in the buyer's name, so that a member who buys cannot approve it", async () => {
    await db.as("administrator", "select api.add_member($1, 'test')", [
      JSON.stringify({ role: "operator", name: "ben", telegram_user_id: "881999" }),
    ]);
    await checked(db, "881999");
    const { task_id } = await pay(db, transfer(await order(db, "881999")));
    const [task] = await db.owner(
      `select t.actor, t.requester_person_id = m.person_id as is_theirs from public.tasks t, public.members m
       where t.task_id = $1 and m.name = 'ben'`,
      [task_id],
    );
    expect(task).toEqual({ actor: "telegram:881999", is_theirs: true });
  });

  it("leaves its trail: receipt, event, payment, order before and after", async () => {
    const buyer = account();
    await checked(db, buyer);
    const id = await order(db, buyer);
    const { task_id, receipt_id } = await pay(db, transfer(id));
    const trail = await db.owner(
      `select action, object, before_json ->> 'status' as was, after_json ->> 'status' as became
       from public.audit_logs where object = $1 order by id`,
      [`order:${id}`],
    );
    expect(trail).toEqual([
      { action: "order.create", object: `order:${id}`, was: null, became: "open" },
      { action: "payment.accept", object: `order:${id}`, was: "open", became: "paid" },
    ]);
    const [receipt] = await db.owner(
      "select source, outcome, task_id from public.event_receipts where receipt_id = $1",
      [receipt_id],
    );
    expect(receipt).toEqual({ source: "ton", outcome: "accepted", task_id });
    const [event] = await db.owner(
      "select type from public.events where task_id = $1 order by seq",
      [
        task_id,
      ],
    );
    expect(event).toEqual({ type: "TASK_CREATED" });
  });
});
