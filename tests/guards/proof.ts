import { beforeAll, describe, it } from "vitest";
import { guards } from "./all-guards.ts";
import { promises } from "./guard.ts";
import { type House, housesFromOne } from "./house.ts";

// One share of the guards, each taken away in a database of its own: the probe must be red, and by an assertion of its own.
const [share, shares] = process.env.GUARDS_SHARE!.split("/").map(Number);
const only = process.env.GUARDS_ONLY ?? "";
const list = Object.entries(guards).flatMap(([subject, all]) =>
  all.map((guard) => ({ subject, ...guard }))
).filter(({ subject, name, test }) => `${subject}: ${name} | ${test}`.includes(only))
  .filter((_, i) => i % shares === share);

let open: () => Promise<House>;
beforeAll(async () => {
  if (list.length > 0) open = await housesFromOne();
});

describe.skipIf(list.length === 0)("without its guard", () => {
  it.for(list)("$test", async (guard, { task }) => {
    const { subject, name, promise, test } = guard;
    const started = performance.now();
    const report = (verdict: string, why = "") => {
      const ms = Math.round(performance.now() - started);
      Object.assign(task.meta, {
        verdict,
        why,
        subject,
        name,
        promise: promises[promise],
        test,
        ms,
      });
    };
    const house = await open();
    try {
      await guard.without(house);
      await guard.probe(house);
      report("SURVIVED");
    } catch (error) {
      const { name: kind, message } = error as Error;
      report(kind === "AssertionError" ? "killed" : "BROKEN", message.split("\n")[0]);
    } finally {
      await house.close();
    }
  });
});
