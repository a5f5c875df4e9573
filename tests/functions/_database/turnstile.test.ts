import { describe, expect, it } from "vitest";
import { turnstile } from "../../../functions/_database/turnstile.ts";

const rest = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

describe("the turnstile of the embedded session", () => {
  it("lets one through at a time", async () => {
    const pass = turnstile();
    let inside = 0;
    let most = 0;
    await Promise.all(Array.from({ length: 20 }, (_, n) =>
      pass(n % 2 === 0, async () => {
        most = Math.max(most, ++inside);
        await rest();
        inside--;
      })));
    expect(most).toBe(1);
  });

  it("lets the door pass a backlog, and the backlog have every sixteenth turn", async () => {
    const pass = turnstile();
    const order: string[] = [];
    const work = Array.from({ length: 6 }, () =>
      pass(false, async () => {
        await rest();
        order.push("work");
      }));
    const door = Array.from({ length: 40 }, () =>
      pass(true, async () => {
        await rest();
        order.push("door");
      }));
    await Promise.all([...work, ...door]);
    const lastAtTheDoor = order.lastIndexOf("door");
    expect(order.slice(0, lastAtTheDoor + 1).filter((who) => who === "work").length)
      .toBeGreaterThanOrEqual(2);
    expect(order.slice(0, lastAtTheDoor + 1).filter((who) => who === "work").length)
      .toBeLessThanOrEqual(4);
  });

  it("goes on after a call that failed", async () => {
    const pass = turnstile();
    const failed = pass(false, () => Promise.reject(new Error("no")));
    const next = pass(false, () => Promise.resolve("yes"));
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe("yes");
  });
});
