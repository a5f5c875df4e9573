import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

const sections = ["Governance", "Sync", "Memory", "Observability", "Reliability"];

/** A heading with nothing under it is no section. */
const offenders = (tree: Tree): string[] =>
  sections.filter((name) =>
    !new RegExp(`^## ${name}\\n+[^#\\n]`, "m").test(tree.get("docs/architecture.md") ?? "")
  ).map((name) => `docs/architecture.md has nothing under ${name}`);

fileLaw("the architecture stands under its five headings", ["docs"], offenders, {
  "an empty section": {
    path: "docs/architecture.md",
    text: (was) => was.replace(/^## Memory\n[\s\S]*?(?=^## )/m, "## Memory\n\n"),
    found: ["docs/architecture.md has nothing under Memory"],
  },
  "a heading under another": {
    path: "docs/architecture.md",
    text: (was) => was.replace(/^## Reliability$/m, "### Reliability"),
    found: ["docs/architecture.md has nothing under Reliability"],
  },
});
