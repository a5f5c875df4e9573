import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { page, pages, root } from "./pages.ts";

const anchorOf = (heading: string): string =>
  heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-");
const anchors = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading));

/** Links of a page that lead nowhere. */
function broken(path: string, text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
    .filter((target) => !/^https?:/.test(target)).filter((target) => {
      const [file, anchor] = target.split("#");
      const url = file === "" ? new URL(path, root) : new URL(file, new URL(path, root));
      if (!existsSync(url)) return true;
      return anchor !== undefined &&
        !anchors(page(url.pathname.slice(root.pathname.length))).includes(anchor);
    });
}

describe("the pages", () => {
  it("would notice a link that leads nowhere", () => {
    expect(
      broken("docs/errors.md", "[a](nothing.md) [b](security.md#nothing) [c](security.md#secrets)"),
    )
      .toEqual(["nothing.md", "security.md#nothing"]);
  });

  it.each(pages)("%s links only to what there is", (path) => {
    expect(broken(path, page(path))).toEqual([]);
  });

  it.each(pages)("%s names only audit queries that there are", (path) => {
    const named = [...page(path).matchAll(/\baudit ([a-z][a-z0-9_]+)`/g)].map(([, name]) => name);
    expect(
      named.filter((name) =>
        name !== "list" && !existsSync(new URL(`docs/audit/${name}.sql`, root))
      ),
    ).toEqual([]);
  });

  it.each(pages)("%s names only npm scripts that there are", (path) => {
    const { scripts } = JSON.parse(page("package.json"));
    const named = [...page(path).matchAll(/\bnpm run ([a-z:-]*[a-z])/g)].map(([, name]) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it("the architecture stands under the five pillars", () => {
    const headings = anchors(page("docs/architecture.md"));
    expect(
      ["governance", "sync", "memory", "observability", "reliability"].filter((pillar) =>
        !headings.includes(pillar)
      ),
    )
      .toEqual([]);
  });

  it("the way to approve and the mirror's set-up stand where they are looked for", () => {
    expect(pages).toContain("docs/approvals.md");
    expect(pages).toContain("docs/WRAPPERS_INTEGRATION.md");
    expect(page("README.md")).toContain("docs/approvals.md");
  });
});
