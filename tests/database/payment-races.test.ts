import { afterAll, beforeAll, expect, it } from "vitest";
import type { TestDatabase } from "../support/database.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";
import {
  approvedAccess,
  checked,
  openHouse,
  order,
  pay,
  quote,
  reserveAccess,
  transfer,
} from "../support/payments.ts";

onNativePostgres("payments in many sessions at once", () => {
  let native: NativeDatabase;
  let db: TestDatabase;
  let other: TestDatabase;
  beforeAll(async () => {
    native = await openNativeDatabase();
    const through = () => ({ ...native, database: native.connect(20) }) as unknown as TestDatabase;
    [db, other] = [through(), through()];
    await openHouse(db);
  }, 120_000);
  afterAll(() => native?.close());

  it("make one task of 100 copies of one transfer", async () => {
    await checked(db, "884001");
    const paid = transfer(await order(db, "884001"));
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => pay(i % 2 ? db : other, paid)),
    );
    expect(answers.filter(({ outcome }) => outcome === "accepted")).toHaveLength(1);
    expect(answers.filter(({ refused }) => refused === "payment_replayed")).toHaveLength(99);
  }, 60_000);

  it("credit one of 50 transfers for one order", async () => {
    await checked(db, "884002");
    const id = await order(db, "884002");
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => pay(i % 2 ? db : other, transfer(id))),
    );
    expect(answers.filter(({ outcome }) => outcome === "accepted")).toHaveLength(1);
    expect(answers.filter(({ refused }) => refused === "unknown_order")).toHaveLength(49);
  }, 60_000);

  it("grant an account one of eight paid orders at a time", async () => {
    await checked(db, "884003");
    const ready = [];
    for (let i = 0; i < 8; i++) ready.push(await approvedAccess(db, "884003"));
    await quote(db, "3.2");
    const answers = await Promise.all(
      ready.map(({ work, grant }, i) => reserveAccess(i % 2 ? db : other, work, grant)),
    );
    expect(answers.filter(({ status }) => status === "reserved")).toHaveLength(1);
    expect(answers.filter(({ refused }) => refused === "cool_down")).toHaveLength(7);
  }, 120_000);
});
