import { afterEach, describe, expect, it } from "vitest";
import { chaosCases } from "../../../../scripts/ags/chaos/cases.ts";
import { chaosScene } from "../../../../scripts/ags/chaos/scene.ts";
import { openTestDatabase, type TestDatabase } from "../../../support/database.ts";

let db: TestDatabase;
afterEach(() => db.close());

describe("trouble made on purpose", () => {
  it.each(Object.keys(chaosCases))("is recovered from: %s", async (name) => {
    db = await openTestDatabase();
    const outcome = await chaosCases[name](await chaosScene(db));
    expect(outcome, outcome.observed).toMatchObject({ recovered: true });
  });

  it("is not called recovered where the tool stays away", async () => {
    db = await openTestDatabase();
    const scene = await chaosScene(db);
    // The canary of the runbook never comes back: whatever a case sets is lost.
    Object.defineProperty(scene, "canary", {
      get: () => () => Promise.resolve({ asked: true, good: false, said: "HTTP 503" }),
      set: () => {},
    });
    expect((await chaosCases["tool-down"](scene)).recovered).toBe(false);
  });
});
