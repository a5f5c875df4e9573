import { describe, expect, it } from "vitest";
import { type Database, DatabaseError } from "../../../functions/_database/database.ts";
import { isContention, patientDatabase } from "../../../functions/_database/patient-database.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

function failing(errors: Error[]) {
  const waits: number[] = [];
  let calls = 0;
  const database: Database = {
    call: <T>() => {
      const error = errors[calls++];
      return error ? Promise.reject(error) : Promise.resolve("done" as T);
    },
    close: () => Promise.resolve(),
  };
  const patient = patientDatabase(database, {
    wait: (ms) => Promise.resolve(void waits.push(ms)),
    random: () => 1,
  });
  return { patient, waits, called: () => calls };
}
const quarrel = (code: string) => new DatabaseError(code, "quarrel");

describe("a patient database", () => {
  it.each(["40001", "40P01", "55P03", "57014"])(
    "makes a call again that ended as %s, after longer and longer pauses",
    async (code) => {
      const { patient, waits } = failing([quarrel(code), quarrel(code), quarrel(code)]);
      expect(await patient.call("complete_steps")).toBe("done");
      expect(waits).toEqual([20, 40, 80]);
    },
  );

  it("gives up after five calls, and says with what", async () => {
    const { patient, called } = failing(Array(9).fill(quarrel("40P01")));
    await expect(patient.call("complete_steps")).rejects.toMatchObject({ code: "40P01" });
    expect(called()).toBe(5);
  });

  it.each([
    ["a broken rule", quarrel("23514")],
    ["a missing right", quarrel("42501")],
    ["a connection that was lost, perhaps after the commit", new Refusal("unavailable")],
  ])("makes no second call after %s", async (_, error) => {
    const { patient, called } = failing([error]);
    await expect(patient.call("complete_steps")).rejects.toBe(error);
    expect(called()).toBe(1);
    expect(isContention(error)).toBe(false);
  });

  it("pauses by chance between nothing and the ceiling", async () => {
    const waits: number[] = [];
    const database = failing(Array(200).fill(quarrel("40001"))).patient;
    const patient = patientDatabase(database, {
      attempts: 100,
      wait: (ms) => Promise.resolve(void waits.push(ms)),
    });
    await patient.call("x").catch(() => undefined);
    expect(Math.max(...waits)).toBeLessThanOrEqual(500);
    expect(new Set(waits.map((ms) => Math.floor(ms / 100))).size).toBeGreaterThan(3);
  });
});
