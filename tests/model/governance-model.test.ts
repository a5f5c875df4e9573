import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { type Base, openBase } from "./base.ts";
import { mutations, takeOut } from "./mutations.ts";
import { hunt, play, storyOf } from "./running.ts";
import { theWholeWay } from "./stories.ts";
import { type Attempt, trespasses } from "./trespass.ts";
import { told } from "./words.ts";

/** A few stories of every kind; `npm run test:model` plays as many as one likes. */
let db: TestDatabase;
let base: Base;
let attempts: Attempt[];
beforeAll(async () => {
  db = await openTestDatabase();
  base = await openBase(db);
  attempts = await trespasses(db);
}, 120_000);
afterAll(() => db.close());

describe("without a guard the model and the database part within 200 stories, and six commands tell why", () => {
  const chosen = mutations.filter(({ quick }) => quick);
  it.each(chosen)("$name", async (mutation) => {
    const putBack = await takeOut(db, mutation);
    try {
      const found = await hunt(base, { seed: 7, runs: 200, maxCommands: 30, attempts });
      expect(found).not.toBeNull();
      expect(found!.divergence.commands.length).toBeLessThanOrEqual(6);
    } finally {
      await putBack();
    }
  }, 60_000);
});

it("the rows alone say what an effect lacked, whatever the model thinks", async () => {
  const putBack = await takeOut(db, mutations.find(({ of }) => of === "private.is_stopped")!);
  const lost = { do: "lose stop", scope: "all" } as const;
  const [kind, from] = ["signal", "gate"] as const;
  const story = { kind, from, requester: null, t3: false, commands: [lost, ...theWholeWay] };
  try {
    const { divergence } = await play(base, story, attempts);
    expect(divergence?.found).toContain("an effect was reserved: while a stop stood");
  } finally {
    await putBack();
  }
});

it("no role gets past the grants, whatever it writes or calls", async () => {
  expect(attempts.length).toBeGreaterThan(1000);
  const picks = attempts.map((_, i) => i);
  const story = storyOf(1, 1, 1);
  const { divergence } = await play(
    base,
    { ...story, commands: [{ do: "trespass", picks }] },
    attempts,
  );
  expect(divergence).toBeNull();
});

it("the database does what the model says, command by command", async () => {
  const deadline = performance.now() + 6000;
  let runs = 0;
  for (; performance.now() < deadline && runs < 300; runs++) {
    const story = storyOf(1, runs, 30);
    const { divergence } = await play(base, story, attempts);
    expect(divergence === null ? "" : told(story, divergence)).toBe("");
  }
  expect(runs).toBeGreaterThan(0);
});
