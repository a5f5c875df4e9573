import { describe, expect, it } from "vitest";
import { type LogLine, writeLog } from "../../../functions/_edge/log.ts";

const written = (line: Partial<LogLine>): string => {
  const lines: string[] = [];
  writeLog((text) => lines.push(text), new Date(0), {
    function: "intake",
    status: 500,
    ms: 3,
    ...line,
  });
  expect(lines).toHaveLength(1);
  return lines[0];
};

describe("a log line", () => {
  it.each([
    "\n",
    "\r\n",
    "\u001b[31m",
    "\u0085",
    "\u2028",
    "\u2029",
    "\u202e",
    '"}\n{"status":200',
  ])(
    "stays one object on one line with %j in its error",
    (piece) => {
      const line = written({ error: `before${piece}after` });
      // deno-lint-ignore no-control-regex
      expect(line).not.toMatch(/[\u0000-\u001f\u0080-\u009f\u2028\u2029\u202e]/);
      expect(JSON.parse(line)).toMatchObject({ status: 500, ms: 3 });
    },
  );

  it("has no secret in its error, its outcome or its code", () => {
    const secret = "sk-proj-aB3aB3aB3aB3aB3aB3aB3";
    const line = written({ error: `no ${secret}`, outcome: secret, code: secret });
    expect(line).not.toContain("aB3aB3");
  });

  it("names a task and a step by their exact shape and nothing else in their place", () => {
    const step_id = "0b6f1c52-1111-4a7e-9c1d-000000000001";
    expect(JSON.parse(written({ task_id: "T-2026-03-01-0001", step_id }))).toMatchObject({
      task_id: "T-2026-03-01-0001",
      step_id,
    });
    for (const id of ["hf_abcdefghijklmnop", "T-2026-03-01-0001 x", "4111111111111111"]) {
      expect(JSON.parse(written({ task_id: id, step_id: id }))).toMatchObject({
        task_id: null,
        step_id: null,
      });
    }
  });
});
