import { describe, expect, it } from "vitest";
import * as line from "../support/line.ts";
import * as trading from "../support/trading.ts";
import { alerts, clock, db, fillsOf, outcomeOf, resultsOf } from "./trading-desk.ts";

let bridges = 0;

/** An order on its way to a broker: reserved and started, nobody has answered. */
async function sent(more: Record<string, string> = {}) {
  const account = `bridge-${++bridges}`;
  await clock.advance(1);
  await trading.openAccount(db, account, { channel: "http-bridge" });
  const { taskId, work } = await trading.approved(db, trading.wanted(account, more));
  const reserved = await trading.reserve(db, work, { p_channel: "http-bridge" });
  await line.start(db, reserved.effect_id, work);
  return {
    account,
    taskId,
    work,
    effect: String(reserved.effect_id),
    key: String(reserved.idempotency_key),
  };
}

const report = (value: Record<string, unknown>): Promise<line.Answer> =>
  db.database.call<line.Answer>("accept_broker_report", { p_report: value });

const execution = async (id: string, more: Record<string, string> = {}) => ({
  id,
  quantity: "1",
  price: "100.02",
  fee: "0.05",
  executed_at: await trading.moment(db),
  ...more,
});

const statusOf = async (effect: string) =>
  (await db.owner<{ status: string }>("select status from public.effects where effect_id = $1", [
    effect,
  ]))[0].status;

describe("a broker's report", () => {
  it("that is none, or of no order of ours, is refused", async () => {
    expect(await report({})).toMatchObject({ refused: "invalid_request" });
    expect(await report({ key: "k", status: "done" })).toMatchObject({
      refused: "invalid_request",
    });
    expect(await report({ key: "nobody", status: "rejected" })).toMatchObject({
      refused: "not_found",
    });
    const paper = "T-2027-05-01-0001:publish:0";
    expect(await report({ key: paper, status: "filled" })).toMatchObject({ refused: "not_found" });
  });

  it("of an order that has not left yet is refused", async () => {
    const account = `bridge-${++bridges}`;
    await clock.advance(1);
    await trading.openAccount(db, account, { channel: "http-bridge" });
    const { work } = await trading.approved(db, trading.wanted(account));
    const { idempotency_key } = await trading.reserve(db, work, { p_channel: "http-bridge" });
    expect(await report({ key: idempotency_key, status: "rejected" })).toMatchObject({
      refused: "illegal_transition",
      status: "reserved",
    });
  });

  it("books what was filled, once", async () => {
    const { account, key, effect, taskId } = await sent();
    const filled = { key, status: "filled", fills: [await execution("f1")] };
    expect(await report(filled)).toMatchObject({ status: "confirmed", duplicate: false });
    expect(await report(filled)).toMatchObject({ status: "confirmed", duplicate: true });
    expect(await statusOf(effect)).toBe("confirmed");
    expect(await line.statusOf(db, taskId)).toBe("publishing");
    expect(await fillsOf(account)).toEqual([
      { kind: "entry", side: "buy", quantity: "1", price: "100.02", fee: "0.05" },
    ]);
    expect(await report({ key, status: "rejected" })).toMatchObject({
      refused: "illegal_transition",
    });
  });

  it("of a fill that a person has settled as not done is refused, and rings: something is held", async () => {
    const { account, work, key, effect } = await sent();
    await line.confirm(db, effect, work, "unknown", {});
    const [{ settled }] = await db.as<{ settled: line.Answer }>(
      "administrator",
      "select api.settle_effect($1, 'failed', 'the broker shows nothing', 'test') as settled",
      [effect],
    );
    expect(settled).toMatchObject({ status: "failed" });
    const filled = { key, status: "filled", fills: [await execution(`late-${account}`)] };
    expect(await report(filled)).toMatchObject({ refused: "illegal_transition", status: "failed" });
    expect(await fillsOf(account)).toEqual([]);
    expect(await alerts(`account:${account}`)).toMatchObject([
      { code: "position_mismatch", severity: "critical", threshold: "failed" },
    ]);
    await report(filled);
    const violations = await db.owner(
      "select rule from public.trading_violations where account_id = $1",
      [account],
    );
    expect(violations).toEqual(Array(2).fill({ rule: "position_mismatch" }));
  });

  it("that denies a fill which is booked is refused, and rings", async () => {
    const { account, key } = await sent();
    await report({ key, status: "filled", fills: [await execution(`held-${account}`)] });
    expect(await report({ key, status: "rejected" })).toMatchObject({
      refused: "illegal_transition",
    });
    expect(await alerts(`account:${account}`)).toMatchObject([{ code: "position_mismatch" }]);
  });

  it("settles what nobody saw, and the worker that comes late changes nothing", async () => {
    const { work, key, effect, taskId } = await sent();
    await line.confirm(db, effect, work, "unknown", { error: "no answer" });
    expect(await line.statusOf(db, taskId)).toBe("paused");
    expect(await report({ key, status: "filled", fills: [await execution("f2")] })).toMatchObject({
      status: "confirmed",
    });
    expect(await line.statusOf(db, taskId)).toBe("publishing");
    expect(await line.confirm(db, effect, work, "failed", {})).toMatchObject({
      refused: "stale_lease",
    });
  });

  it("that says no ends the task, from either state", async () => {
    for (const seen of [true, false]) {
      const { account, work, key, effect, taskId } = await sent();
      if (!seen) await line.confirm(db, effect, work, "unknown", {});
      expect(await report({ key, status: "rejected", reason: "no margin" })).toMatchObject({
        status: "failed",
      });
      expect(await report({ key, status: "rejected" })).toMatchObject({ duplicate: true });
      expect(await line.statusOf(db, taskId)).toBe("failed");
      expect(await fillsOf(account)).toEqual([]);
      expect(await trading.account(db, account)).toMatchObject({ in_flight: "0" });
    }
  });

  it.each([
    ["more than was ordered", { quantity: "1.1" }],
    ["a price that is none", { price: "-1" }],
    ["no fee", { fee: "" }],
    ["a moment that is none", { executed_at: "2027-02-31T00:00:00Z" }],
  ])("with %s is booked as the whole order at the approved price, and rings", async (_, more) => {
    const { account, work, effect } = await sent();
    const receipt = { status: "filled", fills: [await execution("f3", more)] };
    expect(await line.confirm(db, effect, work, "confirmed", receipt)).toMatchObject({
      status: "confirmed",
    });
    expect(await fillsOf(account)).toMatchObject([{
      kind: "entry",
      quantity: "1",
      price: "100.05",
    }]);
    expect(await alerts(`effect:${effect}`)).toMatchObject([
      { code: "fills_assumed", severity: "critical" },
    ]);
  });

  it("in parts makes a position of their mean price", async () => {
    const { account, key } = await sent({ quantity: "2" });
    await report({
      key,
      status: "filled",
      fills: [await execution("p1"), await execution("p2", { price: "100.04", quantity: "0.5" })],
    });
    const [position] = await db.owner<Record<string, string>>(
      "select trim_scale(quantity)::text as quantity, round(entry_price, 6)::text as price from public.positions where account_id = $1",
      [account],
    );
    expect(position).toEqual({ quantity: "1.5", price: "100.026667" });
  });
});

describe("an exit at the broker", () => {
  const opened = async () => {
    const order = await sent();
    const { key } = order;
    await report({ key, status: "filled", fills: [await execution(`entry-${key}`)] });
    const exit = async (more: Record<string, string> = {}) => ({
      key,
      status: "closed",
      fills: [{
        ...await execution(`exit-${key}`, { price: "98", ...more }),
        kind: "stop_loss",
        ...more,
      }],
    });
    return { ...order, exit };
  };

  it("is refused where it is none, or closes more than is open", async () => {
    const { exit } = await opened();
    expect(await report(await exit({ kind: "whim" }))).toMatchObject({
      refused: "invalid_request",
    });
    expect(await report(await exit({ quantity: "1.01" }))).toMatchObject({
      refused: "invalid_request",
    });
    const { key } = await sent();
    expect(await report({ key, status: "closed", fills: [] })).toMatchObject({
      refused: "illegal_transition",
    });
  });

  it("closes its position once, and is a result", async () => {
    const { account, exit } = await opened();
    const closing = await exit();
    expect(await report(closing)).toMatchObject({ booked: 1, duplicate: false });
    expect(await report(closing)).toMatchObject({ duplicate: true });
    expect(await resultsOf(account)).toMatchObject([{ pnl: "-2.12", sl_ok: true }]);
    expect(await trading.account(db, account)).toMatchObject({ open_positions: "0" });
  });
});

describe("a person's word on an order that nobody saw", () => {
  it("books the whole order at the approved price, so that no limit grows by it", async () => {
    const { account, work, effect } = await sent();
    await line.confirm(db, effect, work, "unknown", {});
    const [{ answer }] = await db.as<{ answer: line.Answer }>(
      "administrator",
      "select api.settle_effect($1, 'confirmed', 'the broker shows it', 'cli:ada') as answer",
      [effect],
    );
    expect(answer).toMatchObject({ status: "confirmed" });
    expect(await trading.account(db, account)).toMatchObject({
      open_positions: "1",
      in_flight: "0",
    });
  });

  it("frees what was in flight when it was not done", async () => {
    const { account, work, effect } = await sent();
    await line.confirm(db, effect, work, "unknown", {});
    expect(await trading.account(db, account)).toMatchObject({ in_flight: "1" });
    await db.as("administrator", "select api.settle_effect($1, 'failed', 'not there', 'cli:ada')", [
      effect,
    ]);
    expect(await trading.account(db, account)).toMatchObject({
      open_positions: "0",
      in_flight: "0",
    });
  });
});

describe("a reduction at the broker", () => {
  it("that closed more than was open rings", async () => {
    const account = `bridge-${++bridges}`;
    await clock.advance(1);
    await trading.openAccount(db, account, { channel: "http-bridge" });
    const open = await trading.approved(db, trading.wanted(account));
    const first = await trading.reserve(db, open.work, { p_channel: "http-bridge" });
    await line.start(db, first.effect_id, open.work);
    await line.confirm(db, first.effect_id, open.work, "confirmed", {
      status: "filled",
      fills: [await execution(`a-${account}`, { quantity: "0.5" })],
    });
    await clock.advance(1);
    expect(
      await outcomeOf(trading.reduction(account, { quantity: "0.6" })).catch((error) =>
        error.message
      ),
    )
      .toMatch(/rejected/);
    const { work } = await trading.approved(db, trading.reduction(account, { quantity: "0.5" }));
    const second = await trading.reserve(db, work, { p_channel: "http-bridge" });
    await line.start(db, second.effect_id, work);
    // The stop was hit at the broker while the reduction was under way.
    await report({
      key: String(first.idempotency_key),
      status: "closed",
      fills: [{
        ...await execution(`b-${account}`, { quantity: "0.2", price: "98" }),
        kind: "stop_loss",
      }],
    });
    await line.confirm(db, second.effect_id, work, "confirmed", {
      status: "filled",
      fills: [await execution(`c-${account}`, { quantity: "0.5" })],
    });
    expect(await alerts(`account:${account}`)).toMatchObject([
      { code: "position_mismatch", severity: "critical", value: "0.2" },
    ]);
    expect(await trading.account(db, account)).toMatchObject({ open_positions: "0" });
  });
});
