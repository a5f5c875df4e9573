import { describe, expect, it } from "vitest";
import { confirmEffect } from "../../../functions/_database/confirm-effect.ts";
import type { Database } from "../../../functions/_database/database.ts";

const outcome = { p_effect_id: "e1", p_outcome: "confirmed" };

/** A database that stumbles this often before it answers. */
function stumbling(times: number) {
  const calls: unknown[] = [];
  const call = (name: string, args: unknown) => {
    calls.push([name, args]);
    return calls.length > times ? Promise.resolve({}) : Promise.reject(new Error("lost"));
  };
  return { database: { call, close: () => Promise.resolve() } as unknown as Database, calls };
}

describe("an outcome that was seen", () => {
  it("is given up after three stumbles, with the error of the last", async () => {
    const { database, calls } = stumbling(3);
    await expect(confirmEffect(database, outcome)).rejects.toThrow("lost");
    expect(calls).toHaveLength(3);
  });

  it("survives two, and is the same each time", async () => {
    const { database, calls } = stumbling(2);
    await confirmEffect(database, outcome);
    expect(calls).toEqual(Array(3).fill(["confirm_effect", outcome]));
  });
});
