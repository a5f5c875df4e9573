import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Act } from "./act.ts";
import { actLine } from "./readable.ts";
import { plant, plantedFaults } from "./planted-fault.ts";
import { run } from "./run.ts";
import { scriptOf } from "./script.ts";
import { play, playAndShrink } from "./shrink.ts";
import { System } from "./system.ts";

// A few of the plays that `npm run test:model -- --telegram --seeds 1000` makes; each is a pure function of its seed.
const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.close());

const acts = (count: number) =>
  Array.from({ length: count }, (_, at) => scriptOf(at + 1)).flatMap((script) => script.acts);

describe("the hostile Telegram", () => {
  it("plays what a seed says, every time the same", () => {
    expect(scriptOf(7)).toEqual(scriptOf(7));
    expect(scriptOf(7)).not.toEqual(scriptOf(8));
  });

  it("plays every trick it knows within a thousand seeds", () => {
    const lines = new Set(acts(1000).map((act) => actLine(act).replaceAll(/\d+/g, "n")));
    for (
      const trick of [
        "on a forwarded card",
        "by an anonymous admin",
        "in the name of a channel",
        "by the service account",
        "via an inline bot",
        "as a reply to a command",
        "a Cyrillic a in the command",
        "a right-to-left override",
        "a zero-width joiner",
        "the code full-width",
        "one digit off",
        "copied at once",
        "twice at once",
        "id beyond n^n",
        "dies after database call",
        "is removed",
        "is made reviewer",
        "start again",
        "end with too_many_requests",
        "Telegram is gone",
        "an unknown kind",
        "cut off",
        'secret header "none"',
        "otp:<used before>",
        "/stop all",
      ]
    ) {
      expect([...lines].some((line) => line.includes(trick)), trick).toBe(true);
    }
  });

  it.each(seeds)(
    "decides what the model decides, loses nothing and tells everybody: seed %i",
    async (seed) => {
      const { found } = await run({ system, seed, seeds: 1, attempts: 0 });
      expect(found.flatMap(({ lines }) => lines)).toEqual([]);
    },
    60_000,
  );
});

describe("a guard that is taken out", () => {
  it("is shown by the shortest play that misses it, a line for each act", async () => {
    const fault = plantedFaults.find(({ name }) => name === "any member may decide anything")!;
    const acts: Act[] = [
      { do: "restart", bundle: "right" },
      { do: "stray", body: "an unknown kind", slot: 100 },
      ...fault.play.acts,
      { do: "wait", seconds: 7, sweep: false },
    ];
    const heal = await plant(system, fault);
    const found = await playAndShrink(system, { seed: 0, anon: "777000", ...fault.play, acts });
    await heal();
    expect(found?.lines.slice(0, 2)).toEqual([
      "errand 0: a signal, one operator decides",
      " 1. rita taps yes on errand 0 (plain)",
    ]);
    expect(found?.lines[2]).toMatch(/^=> done on record, but refused wrong_role is right$/);
  }, 60_000);

  it.each(plantedFaults.map((fault) => [fault.name, fault] as const))(
    "is missed: %s",
    async (_, fault) => {
      const script = { seed: 0, anon: "777000", ...fault.play };
      expect(await play(system, script), "without the fault").toEqual([]);
      const heal = await plant(system, fault);
      const found = await play(system, script);
      await heal();
      expect(found.map(({ what }) => what)).not.toEqual([]);
    },
    60_000,
  );
});
