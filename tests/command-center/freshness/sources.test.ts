import { describe, expect, it } from "vitest";
import { faults } from "../support/faults.ts";
import { scenes } from "./scenes.ts";

describe.each(scenes)("$name", ({ name, missing, play }) => {
  if (missing !== null) console.log(`The freshness of ${name} is not tested: ${missing}.`);
  const test = it.skipIf(missing !== null);

  test("is live when it is well", async () => {
    const { readings } = await play("well");
    expect(readings.length).toBeGreaterThan(0);
    for (const { status, reason, value } of readings) {
      expect({ status, reason }).toEqual({ status: "live", reason: null });
      expect(value?.length).toBeGreaterThan(0);
    }
  });

  test("is live with nothing in it when it is empty, which is no blindness", async () => {
    const { readings } = await play("empty");
    for (const { status, reason, value } of readings) {
      expect({ status, reason }).toEqual({ status: "live", reason: null });
      expect(value).not.toBeNull();
    }
  });

  test.each(faults)("is never green when it is: %s", async (fault) => {
    const { source, readings } = await play(fault);
    expect(readings.length).toBeGreaterThan(0);
    for (const reading of readings) {
      expect(reading.source).toBe(source);
      expect(["stale", "degraded", "unknown"]).toContain(reading.status);
      expect(reading.reason, "it says why").toMatch(/\w/);
      expect(reading.value === null).toBe(reading.status === "unknown");
    }
  });
});
