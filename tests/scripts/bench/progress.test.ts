import { expect, it } from "vitest";
import { openProgress } from "../../../scripts/bench/report/progress.mjs";

function stream(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 80, written, write: (text: string) => written.push(text) };
}

it("writes plain lines where nobody watches", () => {
  const out = stream(false);
  const progress = openProgress(out, 2);
  progress.figure("steps");
  progress.step("round 1/3, pg-boss");
  progress.done();
  expect(out.written).toEqual(["  steps: round 1/3, pg-boss\n"]);
});

it("draws a bar on a terminal and takes it away", () => {
  const out = stream(true);
  const progress = openProgress(out, 2);
  progress.figure("steps");
  progress.done();
  progress.figure("intake");
  expect(out.written.at(-1)).toMatch(/█{12}·{12}\] 1\/2 intake/);
  progress.close();
  expect(out.written.at(-1)).toBe("\r\x1b[2K");
});
