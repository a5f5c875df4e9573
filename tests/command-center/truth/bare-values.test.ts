import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findDeno, root } from "../../../scripts/launch.mjs";

/** A page with one thing wrong in it is checked as the repository's own check does. */
describe("a page that shows a bare value", () => {
  let folder: string;
  beforeAll(() => {
    mkdirSync(join(root, ".scratch"), { recursive: true });
    folder = mkdtempSync(join(root, ".scratch", "bare-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const page = (props: string, body: string) =>
    `import { Show, State } from "../../command-center/html/figure.tsx";
import { Figure } from "../../command-center/truth/figure.ts";
export const planted = (${props}) => ${body};
export const used = [Show, State, Figure];\n`;

  const check = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    const { status, stderr } = spawnSync(findDeno()!, ["check", "--quiet", file], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    });
    return { status, stderr };
  };

  it.each([
    ["a number", "{ count }: { count: number }", "<p>{count}</p>"],
    ["a date", "{ at }: { at: Date }", "<p>{at}</p>"],
    ["what may be missing", "{ name }: { name: string | null }", "<p>{name}</p>"],
    ["a figure's value", "{ of }: { of: Figure<string> }", "<p>{of.value}</p>"],
    ["a figure itself", "{ of }: { of: Figure<string> }", "<p>{of}</p>"],
    ["a number given to a component", "_: null", "<Show of={3} />"],
    ["a word given to a component", "_: null", '<State of="fine" level="good" />'],
    [
      "a copy with another value",
      "{ of }: { of: Figure<string> }",
      '<Show of={{ ...of, value: "fine" }} />',
    ],
  ])("does not compile with %s", (_, props, body) => {
    const { status, stderr } = check("planted.tsx", page(props, body));
    expect(stderr).toContain("planted.tsx:3");
    expect(status).not.toBe(0);
  }, 60_000);

  it("compiles with a figure", () => {
    const { status, stderr } = check(
      "fine.tsx",
      page("{ of }: { of: Figure<string> }", "<p>words <Show of={of} /></p>"),
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
  }, 60_000);
});
