import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { reasonOf, rivals, versionsOfRivals } from "../../../scripts/bench/rivals/install.mjs";

const folder = new URL("../../../scripts/bench/rivals/", import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));

it("each rival has one exact version, the locked one", async () => {
  const { dependencies } = read("package.json");
  const versions: Record<string, string> = await versionsOfRivals();
  expect(Object.keys(dependencies)).toHaveLength(Object.keys(rivals).length);
  for (const [name, rival] of Object.entries<{ package: string }>(rivals)) {
    expect(versions[name]).toMatch(/^\d+\.\d+\.\d+$/);
    expect(dependencies[rival.package]).toBe(versions[name]);
  }
});

it("the project itself installs none of them", () => {
  const lock = JSON.parse(readFileSync(new URL("../../../package-lock.json", folder), "utf8"));
  for (const rival of Object.values<{ package: string }>(rivals)) {
    expect(lock.packages).not.toHaveProperty(`node_modules/${rival.package}`);
  }
});

it("an installation that failed is told in one line", () => {
  const said = "npm warn old\nnpm error code ENOTFOUND\nnpm error network request failed\n";
  expect(reasonOf(said)).toBe("network request failed");
});
