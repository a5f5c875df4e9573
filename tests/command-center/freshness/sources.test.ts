import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { embeddedBooks } from "../../../command-center/platform/embedded-books.ts";
import { lookAtAll } from "../../../command-center/server/look.ts";
import type { Reading } from "../../../command-center/truth/reading.ts";
import { askedOf } from "../../../command-center/views/asked.ts";
import { briefOf } from "../../../command-center/views/brief.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { look } from "../support/configured.ts";
import { type Condition, faults } from "../support/faults.ts";
import { type Scene, scenes, type Stage } from "./scenes.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const now = (): Date => new Date();

const readAll = ({ outside }: Stage): Promise<Reading<readonly object[]>[]> =>
  Promise.all(
    Object.values(outside).flat().map((reader) => reader.read(now(), look())),
  );

/** The brief of a page that has the platform's database and this one source. */
const brief = async ({ outside }: Stage) =>
  briefOf(
    await lookAtAll({
      books: embeddedBooks(db.pg),
      outside,
      now: now(),
      asked: askedOf(new URL("http://127.0.0.1/command")),
    }),
  );

interface Watched {
  source: string;
  readings: Reading<readonly object[]>[];
  told: Awaited<ReturnType<typeof brief>>;
}

async function watch({ play }: Scene, condition: Condition): Promise<Watched> {
  const watched: Watched[] = [];
  await play(condition, async (stage) => {
    const readings = await readAll(stage);
    watched.push({ source: stage.source, readings, told: await brief(stage) });
  });
  return watched[0];
}

const named = (notes: readonly { source: string }[]): string[] => notes.map(({ source }) => source);

describe.each(scenes)("$name", (scene) => {
  const { name, missing } = scene;
  if (missing !== null) console.log(`The freshness of ${name} is not tested: ${missing}.`);
  const test = it.skipIf(missing !== null);

  test("is live when it is well, and the brief does not doubt it", async () => {
    const { source, readings, told } = await watch(scene, "well");
    expect(readings.length).toBeGreaterThan(0);
    for (const { status, reason, value } of readings) {
      expect({ status, reason }).toEqual({ status: "live", reason: null });
      expect(value?.length).toBeGreaterThan(0);
    }
    expect(named([...told.blind, ...told.doubtful])).not.toContain(source);
  });

  test("is live with nothing in it when it is empty, which is no blindness", async () => {
    const { source, readings, told } = await watch(scene, "empty");
    for (const { status, reason, value } of readings) {
      expect({ status, reason }).toEqual({ status: "live", reason: null });
      expect(value).not.toBeNull();
    }
    expect(named([...told.blind, ...told.doubtful])).not.toContain(source);
  });

  test.each(faults)("is never green when it is: %s; the brief names it", async (fault) => {
    const { source, readings, told } = await watch(scene, fault);
    expect(readings.length).toBeGreaterThan(0);
    for (const reading of readings) {
      expect(reading.source).toBe(source);
      expect(["stale", "degraded", "unknown"]).toContain(reading.status);
      expect(reading.reason, "it says why").toMatch(/\w/);
      expect(reading.value === null).toBe(reading.status === "unknown");
    }
    const isBlind = readings.some(({ status }) => status === "unknown");
    expect(named(isBlind ? told.blind : told.doubtful)).toContain(source);
    expect(["good", "quiet"]).not.toContain(told.overall.level);
    expect(told.overall.value.freshness).not.toBe("live");
    const good = told.tiles.filter(({ level }) => level === "good");
    expect(named(good.map(({ value }) => value)).join(), "no tile is green over it")
      .not.toContain(source);
  });
});
