import { beforeEach, describe, expect, it } from "vitest";
import {
  accept,
  alertEvent,
  decide,
  openCode,
  refusalsOf,
  runToGate,
  secondFactor,
  statusOf,
} from "../support/line.ts";
import { administer } from "../support/personas.ts";
import { db } from "./people.ts";
import { everybody, newsOf, say } from "./stopping.ts";

const isOn = async (): Promise<boolean> =>
  (await db.owner<{ enabled: boolean }>(
    "select enabled from public.feature_flags where key = 't3_execution_enabled'",
  ))[0]?.enabled ?? false;

const turn = async (from: string, state: string, proof?: unknown) =>
  await say(from, { type: "t3", state }, {
    second_factor: proof === undefined ? await secondFactor(db, from) : proof,
  });

const setFlag = (enabled: boolean) =>
  administer(db, "set_flag('t3_execution_enabled', $1, 'test', 'cli:ada')", [enabled]);

beforeEach(() => setFlag(false));

describe("switching T3 on", () => {
  it("is refused to an operator, a reviewer and the terminal", async () => {
    for (const member of ["1001", "1003"]) {
      expect(await turn(member, "on")).toMatchObject({ refused: "wrong_role" });
    }
    expect(await setFlag(true)).toMatchObject({ refused: "forbidden", reason: expect.any(String) });
    expect(await isOn()).toBe(false);
    expect(await refusalsOf(db, "flag:t3_execution_enabled")).toEqual(
      expect.arrayContaining(["wrong_role", "forbidden"]),
    );
  });

  it("takes the owner's second factor", async () => {
    expect(await turn("1002", "on", null)).toMatchObject({ refused: "second_factor_required" });
    await secondFactor(db, "1002");
    expect(await turn("1002", "on", { valid: false, step: 1 }))
      .toMatchObject({ refused: "second_factor_wrong" });
    expect(await turn("1002", "maybe")).toMatchObject({ refused: "invalid_request" });
    expect(await isOn()).toBe(false);
  });

  it("is told to everybody, once", async () => {
    expect(await newsOf("t3_switched", () => turn("1002", "on"))).toEqual(everybody);
    expect(await turn("1024", "on", null)).toMatchObject({ reply: "t3", changed: false });
    expect(await newsOf("t3_switched", () => turn("1002", "on", null))).toEqual([]);
    expect(await isOn()).toBe(true);
  });

  it("lets approved tasks go on that were held", async () => {
    const { task_id } = await accept(
      db,
      alertEvent(`trade ${Math.random()}`, { source: "desk", action: "TRADE" }),
    );
    await runToGate(db);
    const code = await openCode(db, task_id as string);
    await decide(db, "1001", code);
    await decide(db, "1002", code);
    expect(await statusOf(db, task_id as string)).toBe("pending_exec");
    expect(await turn("1024", "on")).toMatchObject({ changed: true, released: 1 });
    expect(await statusOf(db, task_id as string)).toBe("running");
  });
});

describe("switching T3 off", () => {
  it("is refused to a reviewer, and open to an operator without a second factor", async () => {
    await turn("1002", "on");
    expect(await turn("1003", "off", null)).toMatchObject({ refused: "wrong_role" });
    expect(await isOn()).toBe(true);
    expect(await turn("1001", "off", null)).toMatchObject({ reply: "t3", state: "off" });
    expect(await isOn()).toBe(false);
  });

  it("works from the terminal", async () => {
    await turn("1002", "on");
    expect(await setFlag(false)).toEqual({ key: "t3_execution_enabled", enabled: false });
    expect(await isOn()).toBe(false);
  });

  it("leaves other flags as they were: on and off from the terminal", async () => {
    const answer = await administer(db, "set_flag('new_cards', true, 'test', 'cli:ada')");
    expect(answer).toEqual({ key: "new_cards", enabled: true });
  });
});
