import { describe, expect, it } from "vitest";
import { workerOptions } from "../../../scripts/worker/options.ts";

const read = (...arguments_: string[]) => workerOptions(arguments_, 10, () => "abc");

describe("the worker's options", () => {
  it.each([
    [["--speed", "9"], "There is no option --speed"],
    [["--concurrency", "0"], "from 1 to 100"],
    [["--concurrency", "101"], "from 1 to 100"],
    [["--concurrency"], "from 1 to 100"],
    [["--concurrency=1e1"], "from 1 to 100"],
    [["--name", "Über"], "lower-case word"],
  ])("refuse %j", (arguments_, sentence) => {
    expect(() => read(...arguments_)).toThrow(sentence);
  });

  it("are what the environment says, and what the command line says instead", () => {
    expect(read()).toEqual({ concurrency: 10, name: "worker-abc" });
    expect(read("--concurrency=3", "--name", "worker-a")).toEqual({
      concurrency: 3,
      name: "worker-a",
    });
  });
});
