import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { mark, pagePart } from "../../scripts/faults/page.ts";
import { page, root } from "./pages.ts";

/** After a change of the rows or the invariants: WRITE=1 npx vitest run tests/docs/faults-page.test.ts */
it("docs/faults.md ends with the rows and the invariants that the command knows", async () => {
  const [told] = page("docs/faults.md").split(mark);
  const written = told + await pagePart();
  if (process.env.WRITE) writeFileSync(new URL("docs/faults.md", root), written);
  expect(page("docs/faults.md")).toBe(written);
});
