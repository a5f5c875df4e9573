import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findDeno } from "../../scripts/launch.mjs";
import { root } from "../support/tree.ts";

const copy = mkdtempSync(join(tmpdir(), "ags-generated-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const deno = findDeno();
if (deno === null) throw new Error("npm installed no Deno");

const check = (of: string): { status: number | null; said: string } => {
  const script = join(root, "scripts/generate.ts");
  const { status, stdout, stderr } = spawnSync(
    deno,
    [
      "run",
      "--no-prompt",
      `--allow-read=${of},${root}`,
      "--allow-env=LOG_STREAM,LOG_TOKENS",
      script,
      "--check",
      of,
    ],
    { cwd: root, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
  );
  return { status, said: stdout + stderr };
};

describe("generated files are current", () => {
  const policy = join(copy, "policies/policy.yaml");

  it("finds a policy that was changed and not generated", () => {
    mkdirSync(join(copy, "functions/_policy"), { recursive: true });
    cpSync(join(root, "policies"), join(copy, "policies"), { recursive: true });
    const generated = "functions/_policy/policy.generated.ts";
    cpSync(join(root, generated), join(copy, generated));
    expect(check(copy).status).toBe(0);
    writeFileSync(policy, `${readFileSync(policy, "utf8")}\n# one more line\n`);
    const { status, said } = check(copy);
    expect([status, said]).toEqual([1, expect.stringContaining("stale")]);
  });

  it("finds a policy that cannot be embedded", () => {
    writeFileSync(policy, "tiers: [");
    expect(check(copy).status).toBe(1);
  });

  it("holds for the tree as it is", () => {
    expect(check(root)).toMatchObject({ status: 0 });
  });
});
