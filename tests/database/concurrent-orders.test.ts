import { afterAll, beforeAll, expect, it } from "vitest";
import type { Database } from "../../functions/_database/database.ts";
import type { TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";
import * as trading from "../support/trading.ts";

onNativePostgres("two orders at once", () => {
  let native: NativeDatabase;
  let db: TestDatabase;
  let other: TestDatabase;
  let accounts = 0;

  const through = (database: Database) => ({ ...native, database }) as unknown as TestDatabase;

  beforeAll(async () => {
    native = await openNativeDatabase();
    db = through(native.connect(10));
    other = through(native.connect(10));
    await line.activate(db);
    await line.addMember(db, "operator", "olga", "1001");
    await line.addMember(db, "owner", "oskar", "1002");
    await trading.switchOn(db);
  });
  afterAll(() => native?.close());

  const account = async (more: Record<string, unknown> = {}): Promise<string> => {
    const id = `raced-${++accounts}`;
    await trading.openAccount(db, id, more);
    return id;
  };

  /** So many approved orders on one account, none of them reserved yet. */
  const orders = async (id: string, count: number) => {
    const ready = [];
    for (let i = 0; i < count; i++) {
      ready.push(await trading.approved(db, trading.wanted(id), "100", { wealthy: true }));
    }
    return ready;
  };

  const outcomes = async (works: Awaited<ReturnType<typeof orders>>, channel = "paper") => {
    const answers = await Promise.all(
      works.map(({ work }, i) => trading.reserve(i % 2 ? db : other, work, { p_channel: channel })),
    );
    return answers.map(({ refused, status }) => refused ?? String(status)).sort();
  };

  it("cannot both take the last position", async () => {
    for (let round = 0; round < 3; round++) {
      const id = await account();
      await trading.setLimits(db, id, { max_positions: "1" });
      expect(await outcomes(await orders(id, 2))).toEqual(["confirmed", "limit_exceeded"]);
      expect(await trading.account(db, id)).toMatchObject({ open_positions: "1" });
    }
  });

  it("cannot together lose more than one of them may", async () => {
    // One order's worst case is 2.297001; 5 % of this equity is less than two of them.
    const id = await account({ opening_balance: "60" });
    expect(await outcomes(await orders(id, 4))).toEqual([
      "confirmed",
      "limit_exceeded",
      "limit_exceeded",
      "limit_exceeded",
    ]);
  });

  it("count while a broker has not answered yet", async () => {
    const id = await account({ channel: "http-bridge" });
    await trading.setLimits(db, id, { max_positions: "2" });
    expect(await outcomes(await orders(id, 4), "http-bridge")).toEqual([
      "limit_exceeded",
      "limit_exceeded",
      "reserved",
      "reserved",
    ]);
  });

  it("do not deadlock with prices that close positions meanwhile", async () => {
    const id = await account();
    await trading.filled(db, trading.wanted(id, { stop_loss: "99.9" }));
    const ready = await orders(id, 3);
    const prices = Array.from(
      { length: 20 },
      (_, i) => trading.quote(i % 2 ? db : other, i % 3 ? "99.89" : "100"),
    );
    const [reserved] = await Promise.all([outcomes(ready), ...prices]);
    for (const outcome of reserved) {
      expect(["confirmed", "limit_exceeded", "price_moved"]).toContain(outcome);
    }
  });

  it("one reduction alone closes one position", async () => {
    const id = await account();
    await trading.filled(db, trading.wanted(id));
    const ready = [];
    for (let i = 0; i < 2; i++) ready.push(await trading.approved(db, trading.reduction(id)));
    const done = await outcomes(ready);
    expect(done.filter((outcome) => outcome === "confirmed")).toHaveLength(1);
    expect(await trading.account(db, id)).toMatchObject({ open_positions: "0" });
  });
});
