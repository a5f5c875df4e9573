import { expect, it } from "vitest";
import { History } from "../../../scripts/faults/history.ts";
import { rows } from "../../../scripts/faults/registry.ts";
import { Findings, isPending, type Need, type Row } from "../../../scripts/faults/row.ts";
import { isRed, runRows } from "../../../scripts/faults/run-rows.ts";
import { Scene } from "../../../scripts/faults/scene.ts";
import { total } from "../../../scripts/faults/table.ts";

const row = (run: Row["run"], needs: Need[] = []): Row => ({
  id: 1,
  fault: "planted",
  promise: "planted",
  needs,
  run,
});

const ran = async (one: Row, history = new History()) => {
  const scene = new Scene({ seed: 1, scale: 1, history, log: () => undefined });
  const [result] = await runRows(scene, [one], [], () => undefined);
  await scene.close();
  return result;
};

const outcome = (prepare: (found: Findings) => void) => {
  const found = new Findings();
  prepare(found);
  return Promise.resolve(found.outcome("planted"));
};

it("is red where nothing shows that the fault was there, however well all went", async () => {
  const result = await ran(row(() => outcome((found) => found.saw("all is well"))));
  expect(result).toMatchObject({ verdict: "not injected", observed: "all is well" });
  expect(isRed(result)).toBe(true);
  const none = await ran(row(() => outcome((found) => found.counted(0, "cuts"))));
  expect(none.verdict).toBe("not injected");
});

it("is red where a promise broke, and says which", async () => {
  const result = await ran(row(() =>
    outcome((found) => {
      found.counted(3, "cuts");
      found.must(false, "two tasks were made");
    })
  ));
  expect(result).toMatchObject({ verdict: "red", observed: "two tasks were made" });
});

it("is red where the row itself breaks off", async () => {
  const result = await ran(row(() => Promise.reject(new Error("no such thing"))));
  expect(result).toMatchObject({ verdict: "red", observed: "the row broke off: no such thing" });
});

it("is red where the history has lost something, whatever the row says", async () => {
  const history = new History();
  const result = await ran(
    row(() => {
      history.add("invoke", "p", "accept", "a");
      history.add("ok", "p", "accept", "a");
      return outcome((found) => found.counted(1, "cut"));
    }),
    history,
  );
  expect(result).toMatchObject({ verdict: "red", history: "1 lost (a)" });
});

it("is green where the fault was seen and nothing broke", async () => {
  const result = await ran(row(() => outcome((found) => found.counted(1, "cut"))));
  expect(result).toMatchObject({ verdict: "green", evidence: ["1 cut"] });
  expect(total([result])).toMatch(/^green: 1 rows, 1 green/);
});

it("puts away what a row opened, also when the row broke off, the last first", async () => {
  const put: number[] = [];
  await ran(row((scene) => {
    scene.onRowEnd(() => put.push(1));
    scene.onRowEnd(() => put.push(2));
    return Promise.reject(new Error("no"));
  }));
  expect(put).toEqual([2, 1]);
});

it("begins no row once everything is put away, and puts away what the cut row still opened", async () => {
  const scene = new Scene({ seed: 1, scale: 1, history: new History(), log: () => undefined });
  const put: string[] = [];
  let closing: Promise<void> | null = null;
  const cut = row(async () => {
    closing = scene.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    scene.onRowEnd(() => put.push("late"));
    await closing;
    return await outcome(() => undefined);
  });
  const next = row(() => {
    put.push("next");
    return outcome(() => undefined);
  });
  expect(await runRows(scene, [cut, next], [], () => undefined)).toHaveLength(1);
  expect(put).toEqual(["late"]);
});

it("knows all 76 rows, each once, and what each one that cannot run waits for", () => {
  expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 76 }, (_, i) => i + 1));
  for (const pending of rows.filter(isPending)) {
    expect([pending.id, pending.waits]).toEqual([
      pending.id,
      expect.stringMatching(/^[A-Z]{3}-\d{2}/),
    ]);
  }
});
