import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { guards } from "./all-guards.ts";
import { promises } from "./guard.ts";
import { calm, type House, openHouse } from "./house.ts";

// With every guard in place. `npm run prove:guards` takes each away and runs the same probes, which then must be red.
let house: House;
beforeAll(async () => {
  house = await openHouse();
});
beforeEach(() => calm(house));
afterAll(() => house.close());

describe.each(Object.entries(guards))("%s", (_subject, list) => {
  for (const { test, probe } of list) it(test, () => probe(house));
});

describe("the list of guards", () => {
  const list = Object.values(guards).flat();

  it("names each guard and each test once", () => {
    for (const key of ["name", "test"] as const) {
      const names = list.map((guard) => guard[key]);
      expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    }
  });

  it("takes each away as it is written down", async () => {
    for (const { name, without } of list) {
      await house.pg.transaction(async (tx) => {
        await tx.exec("set local role postgres");
        const owner = async <T>(sql: string, params: unknown[] = []) =>
          (await tx.query<T>(sql, params)).rows;
        await without({ ...house, owner }).catch((error) => {
          throw new Error(`${name}: ${error.message}`, { cause: error });
        });
        await tx.rollback();
      });
    }
  });

  it("has a guard for every promise", () => {
    expect(Object.keys(promises).filter((key) => !list.some(({ promise }) => promise === key)))
      .toEqual([]);
  });
});
