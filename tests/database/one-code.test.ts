import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Database } from "../../functions/_database/database.ts";
import type { TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";

onNativePostgres("one authenticator in many sessions", () => {
  let native: NativeDatabase;
  let db: TestDatabase;
  const through = (database: Database) => ({ ...native, database }) as unknown as TestDatabase;

  beforeAll(async () => {
    native = await openNativeDatabase();
    db = through(native.connect(20));
    await line.activate(db);
    await line.addMember(db, "owner", "oskar", "1002");
    await line.addMember(db, "operator", "olga", "1001");
  });
  afterAll(() => native?.close());

  async function trades(count: number): Promise<string[]> {
    const codes: string[] = [];
    for (let i = 0; i < count; i++) {
      const event = { source: "desk", action: "TRADE" };
      const { task_id } = await line.accept(db, line.alertEvent(randomUUID(), event));
      await line.runToGate(db);
      codes.push(await line.openCode(db, String(task_id)));
    }
    return codes;
  }
  const say = (code: string, second_factor: unknown) =>
    line.decideUpdate(
      db,
      line.update("1001", { type: "approve", code, decision: "approve", reason: null }, {
        second_factor,
      }),
    );

  it("counts no more than five wrong codes of fifty that arrive together", async () => {
    await line.secondFactor(db, "1001");
    const [code] = await trades(1);
    const wrong = { valid: false, step: null };
    const answers = await Promise.all(Array.from({ length: 50 }, () => say(code, wrong)));
    const refusals = answers.map(({ refused }) => refused);
    expect(refusals.filter((refused) => refused === "second_factor_wrong")).toHaveLength(5);
    expect(refusals.filter((refused) => refused === "second_factor_locked")).toHaveLength(45);
  });

  it("lets one code through for one of six requests that it is sent for together", async () => {
    const codes = await trades(6);
    const proof = await line.secondFactor(db, "1001");
    const answers = await Promise.all(codes.map((code) => say(code, proof)));
    expect(answers.filter(({ refused }) => refused === undefined)).toHaveLength(1);
    const others = answers.map(({ refused }) => refused).filter(Boolean);
    expect(others.filter((refused) => refused === "second_factor_wrong")).toHaveLength(5);
  });
});
