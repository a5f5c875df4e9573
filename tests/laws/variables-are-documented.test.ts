import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

const source = "functions/_edge/environment.ts";
const sources = [source, "command-center/environment.ts"];
const pages = ["README.md", "docs/deploy.md", "docs/go-live.md", "docs/command-center.md"];

/** Names in the first cell of each row of a table of variables; a row may name several. */
const rowsOf = (text: string): string[] =>
  [...text.matchAll(/^\| Variable \|.*\n\|[-| ]+\n((?:\|.*\n?)*)/gm)].flatMap(([, rows]) =>
    rows.split("\n").flatMap((row) => {
      const cell = /^\|([^|]*)\|/.exec(row)?.[1] ?? "";
      return [...cell.matchAll(/`([A-Z][A-Z0-9_]*)`/g)].map(([, name]) => name);
    })
  );

function offenders(tree: Tree): string[] {
  const read = new Set(
    sources.flatMap((path) =>
      [...tree.get(path)!.matchAll(/^ {2}([A-Z][A-Z0-9_]*): (?:z|key32)\b/gm)].map(([, name]) =>
        name
      )
    ),
  );
  const told = new Set(pages.flatMap((page) => rowsOf(tree.get(page) ?? "")));
  const prose = pages.map((page) => tree.get(page) ?? "").join("\n");
  return [
    // Supabase sets its own; a mention is enough there.
    ...[...read].filter((name) =>
      !(name.startsWith("SUPABASE_") ? prose.includes(name) : told.has(name))
    )
      .map((name) => `${name} is read and not documented`),
    ...[...told].filter((name) => !read.has(name)).map((name) =>
      `${name} is documented and not read`
    ),
  ];
}

fileLaw(
  "the documented variables are those that are read",
  [...sources, "README.md", "docs"],
  offenders,
  {
    "one more that is read": {
      path: source,
      text: (was) => was.replace(/^ {2}PORT: z/m, "  PLANTED_SECRET: z.string(),\n  PORT: z"),
      found: ["PLANTED_SECRET is read and not documented"],
    },
    "one that is only written about": {
      path: "docs/deploy.md",
      text: (was) =>
        `${was}\n| Variable | Meaning |\n|---|---|\n| \`PLANTED_NAME\` | nothing reads it |\n`,
      found: ["PLANTED_NAME is documented and not read"],
    },
  },
);
