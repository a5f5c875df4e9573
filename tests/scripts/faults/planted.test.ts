import { expect, it } from "vitest";
import { provePlanted } from "../../../scripts/faults/planted.ts";

it(
  "catches every row and every history that is planted, and finds nothing where nothing is planted",
  async () => {
    const results = await provePlanted(() => undefined);
    expect(results.filter(({ caught }) => !caught)).toEqual([]);
    expect(results.length).toBeGreaterThan(40);
  },
  120_000,
);
