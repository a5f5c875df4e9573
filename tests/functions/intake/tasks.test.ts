import { describe, expect, it } from "vitest";
import { db, nextSerial, task } from "./door.ts";

describe("POST /tasks", () => {
  const request = () => ({
    source: "desk",
    source_event_id: `e-${nextSerial()}`,
    actor: "petra",
    goal: "Summarize the week",
    action: "SUMMARIZE",
    payload: { week: 39 },
  });

  it("refuses without the service token; a source's token does not open it", async () => {
    for (
      const authorization of [
        "",
        "Bearer tv-token-of-btc",
        "Basic service-token",
        "Bearer ",
      ]
    ) {
      expect((await task(request(), authorization)).status).toBe(401);
    }
  });

  it.each([
    ["no JSON", "{"],
    ["a list", []],
    ["a misspelled field", { ...request(), Action: "READ" }],
    ["no actor", { ...request(), actor: " " }],
    ["an actor of two lines", { ...request(), actor: "petra\npaul" }],
    ["a source in capitals", { ...request(), source: "Desk" }],
    ["a payload that is no object", { ...request(), payload: [1] }],
    ["a NUL in the payload", { ...request(), payload: { a: ["\0"] } }],
    ["half a surrogate pair", { ...request(), payload: { "\ud800": 1 } }],
    ["deep nesting", `{"payload":${'{"a":'.repeat(2000)}1${"}".repeat(2000)}}`],
  ])("refuses %s with a reason", async (_, value) => {
    const refused = await task(value);
    expect(refused).toMatchObject({
      status: 422,
      body: { error: "invalid_request" },
    });
    expect(refused.body.reason).toEqual(expect.any(String));
  });

  it("refuses an action that the policy does not name, and keeps the receipt", async () => {
    const refused = await task({ ...request(), action: "LAUNCH_ROCKET" });
    expect(refused).toMatchObject({
      status: 422,
      body: { error: "unclassified_action" },
    });
    expect(refused.body.receipt_id).toEqual(expect.any(Number));
  });

  it("takes every tier, and a repeat for the same task", async () => {
    for (
      const [action, tier] of [["READ", "T0"], ["WRITE_DB", "T1"], [
        "PUBLISH",
        "T2",
      ], [
        "TRADE",
        "T3",
      ]]
    ) {
      const body = { ...request(), action };
      const accepted = await task(body);
      expect(accepted).toMatchObject({
        status: 202,
        body: { duplicate: false },
      });
      const [row] = await db.owner(
        "select risk_tier from public.tasks where task_id = $1",
        [
          accepted.body.task_id,
        ],
      );
      expect(row.risk_tier).toBe(tier);
      expect(await task(body)).toMatchObject({
        status: 200,
        body: { task_id: accepted.body.task_id, duplicate: true },
      });
    }
  });
});
