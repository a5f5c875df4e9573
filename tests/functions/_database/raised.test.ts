import { describe, expect, it } from "vitest";
import { DatabaseError } from "../../../functions/_database/database.ts";
import { raised } from "../../../functions/_database/raised.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

const thrown = (code: string, more = {}) =>
  raised(Object.assign(new Error("as the driver says"), { code, ...more }));

describe("raised", () => {
  it.each([
    "ECONNREFUSED",
    "EPIPE",
    "CONNECT_TIMEOUT",
    "CONNECTION_CLOSED",
    "08006",
    "57P01",
    "53300",
  ])(
    "takes %s for a database that is not there",
    (code) => {
      const error = thrown(code);
      expect(error).toBeInstanceOf(Refusal);
      expect((error as Refusal).code).toBe("unavailable");
    },
  );

  it("keeps SQLSTATE and the constraint's name, whichever driver tells it", () => {
    for (const key of ["constraint", "constraint_name"]) {
      const error = thrown("23514", { [key]: "score_between_0_and_1" }) as DatabaseError;
      expect(error).toBeInstanceOf(DatabaseError);
      expect([error.code, error.constraint]).toEqual(["23514", "score_between_0_and_1"]);
    }
  });

  it("hands on what is no database's error", () => {
    const bug = new TypeError("x is undefined");
    expect(raised(bug)).toBe(bug);
  });
});
