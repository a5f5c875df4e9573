import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ticker, type Worker } from "../../../scripts/stack/ticker.ts";

const silent = () => {};

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 500) throw new Error("it did not come");
    await sleep(2);
  }
}

describe("the ticker", () => {
  it("makes one more pass of any number of nudges during a pass", async () => {
    let passes = 0;
    let open = () => {};
    const gate = new Promise<void>((resolve) => open = resolve);
    const tick = ticker(
      [{ name: "a", wakes: [], pass: async () => (passes += 1, await gate, 0) }],
      silent,
    );
    tick.nudge();
    for (let i = 0; i < 50; i++) tick.nudge();
    expect(passes).toBe(1);
    open();
    await until(tick.idle);
    expect(passes).toBe(2);
  });

  it("passes until nothing is found, and wakes whoever has work then", async () => {
    const order: string[] = [];
    const left = { a: 2, b: 1 };
    const worker = (name: "a" | "b", wakes: string[]): Worker => ({
      name,
      wakes,
      pass: () => (order.push(name), Promise.resolve(left[name] > 0 ? left[name]-- : 0)),
    });
    const tick = ticker([worker("a", ["b"]), worker("b", [])], silent);
    tick.nudge();
    await until(tick.idle);
    expect(left).toEqual({ a: 0, b: 0 });
    expect(order.filter((name) => name === "b").length).toBeGreaterThanOrEqual(2);
  });

  it("does not let a slow worker hold up another", async () => {
    let finish = () => {};
    let passes = 0;
    const tick = ticker([
      { name: "slow", wakes: [], pass: () => new Promise((resolve) => finish = () => resolve(0)) },
      { name: "quick", wakes: [], pass: () => (passes += 1, Promise.resolve(0)) },
    ], silent);
    tick.nudge();
    await until(() => passes === 1);
    tick.nudge();
    await until(() => passes === 2);
    finish();
    await tick.stop();
  });

  it("tells a failed pass once and goes on at the next nudge, not before", async () => {
    const told: unknown[] = [];
    let passes = 0;
    const pass = () => (passes += 1) === 1 ? Promise.reject(new Error("away")) : Promise.resolve(0);
    const tick = ticker(
      [{ name: "a", wakes: [], pass }],
      (name, error) => told.push([name, String(error)]),
    );
    tick.nudge();
    await until(tick.idle);
    expect(told).toEqual([["a", "Error: away"]]);
    expect(passes).toBe(1);
    tick.nudge();
    await until(tick.idle);
    expect(passes).toBe(2);
  });

  it("waits for the pass under way when it is stopped, and starts no other", async () => {
    let passes = 0;
    let ended = false;
    const pass = async () => {
      passes += 1;
      await sleep(20);
      ended = true;
      return 1;
    };
    const tick = ticker([{ name: "a", wakes: [], pass }], silent);
    tick.nudge();
    await tick.stop();
    expect(ended).toBe(true);
    tick.nudge();
    await sleep(30);
    expect(passes).toBe(1);
  });
});
