import { describe, expect, it } from "vitest";
import type { DatabaseError } from "../../../functions/_database/database.ts";
import { supabaseDatabase } from "../../../functions/_database/supabase-database.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

class NoWebSocket extends EventTarget {}
const realtime = { transport: NoWebSocket as never };

/** A gateway that answers as PostgREST does; what it was asked is kept. */
function gateway(status: number, answer: unknown) {
  const asked: Request[] = [];
  const fake: typeof fetch = (input, init) => {
    asked.push(new Request(input, init));
    if (status === 0) return Promise.reject(new TypeError("fetch failed"));
    return Promise.resolve(
      new Response(typeof answer === "string" ? answer : JSON.stringify(answer), {
        status,
        headers: { "content-type": "application/json" },
      }),
    );
  };
  return {
    asked,
    database: supabaseDatabase("http://gateway", "sb_secret_x", { fetch: fake, realtime }),
  };
}

const failure = async (status: number, answer: unknown) =>
  await gateway(status, answer).database.call("echo").then(() => null, (error) => error);

describe("the supabase-js transport", () => {
  it("tells a lost database from a refused statement", async () => {
    for (
      const [status, answer] of [
        [0, ""],
        [502, "<html>bad gateway</html>"],
        [503, { code: "PGRST000", message: "no connection" }],
        [504, { code: "PGRST003", message: "timed out waiting for a connection" }],
        [401, { code: "PGRST301", message: "JWT invalid" }],
        [503, { code: "57P01", message: "terminating connection" }],
      ] as const
    ) {
      const error = await failure(status, answer);
      expect(error, String(status)).toBeInstanceOf(Refusal);
      expect((error as Refusal).code).toBe("unavailable");
    }
  });

  it("reads the constraint's name out of the message, where PostgREST leaves it", async () => {
    const error = await failure(400, {
      code: "23514",
      message: 'new row for relation "probes" violates check constraint "mark_is_between_0_and_2"',
      details: null,
      hint: null,
    }) as DatabaseError;
    expect([error.code, error.constraint]).toEqual(["23514", "mark_is_between_0_and_2"]);
  });

  it("has Postgres's own code for a function that is not there", async () => {
    const error = await failure(404, { code: "PGRST202", message: "no function" }) as DatabaseError;
    expect(error.code).toBe("42883");
  });

  it("calls the schema api alone, with the key in its header and never in the address", async () => {
    const { asked, database } = gateway(200, { ok: true });
    expect(await database.call("echo", { p_value: 1 })).toEqual({ ok: true });
    expect(asked[0].url).toBe("http://gateway/rest/v1/rpc/echo");
    expect(asked[0].headers.get("content-profile")).toBe("api");
    expect(asked[0].headers.get("apikey")).toBe("sb_secret_x");
  });
});
