import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { guards } from "../guards/all-guards.ts";
import { promises } from "../guards/guard.ts";
import { page, root } from "./pages.ts";

/** docs/guards.md as the list of guards makes it. After a change: WRITE=1 npx vitest run tests/docs/guards-page.test.ts */
const sections = Object.entries(promises).map(([key, promise]) => {
  const rows = Object.entries(guards).flatMap(([subject, list]) =>
    list.filter((guard) => guard.promise === key)
      .map(({ name, test }) => `| ${name} | ${subject}: ${test} |\n`)
  );
  return `## ${promise}\n\n| Guard | Test |\n|---|---|\n${rows.join("")}`;
});
const count = Object.values(guards).flat().length;
const written = `# Guards

Every promise of [security.md](security.md) and the guards behind it: ${count} in all. The test is the sentence in
\`tests/guards/guards-of-<subject>.ts\` that goes red when \`npm run prove:guards\` takes the guard away. This page is made from that list.

${sections.join("\n")}`;

describe("docs/guards.md", () => {
  it("is the list of guards, promise by promise", () => {
    if (process.env.WRITE) writeFileSync(new URL("docs/guards.md", root), written);
    expect(page("docs/guards.md")).toBe(written);
  });
});
