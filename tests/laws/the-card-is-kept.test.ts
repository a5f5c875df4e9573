import { fileLaw } from "../support/file-law.ts";
import { functionsOf, reach } from "../support/imports.ts";
import type { Tree } from "../support/tree.ts";

const folders = ["supabase", "functions", "migrations", "policies", "scripts", "tests", "docs"];
const files = ["package.json", "deno.json"];
const packages = ["@supabase/supabase-js", "supabase", "zod", "yaml", "vitest"];

function offenders(tree: Tree): string[] {
  const paths = [...tree.keys()];
  const found = [
    ...folders.filter((name) =>
      !paths.some((path) => path.startsWith(`${name}/`) && tree.get(path))
    ),
    ...files.filter((name) => !tree.get(name)),
  ].map((name) => `${name} is missing`);
  const { dependencies, devDependencies } = JSON.parse(tree.get("package.json") || "{}");
  const named = { ...dependencies, ...devDependencies };
  found.push(...packages.filter((name) => !named[name]).map((name) => `${name} is no dependency`));

  const standard = functionsOf(tree).some((name) =>
    [...reach(tree, `functions/${name}/index.ts`)].some((path) =>
      /^npm:deno-std@[\d.]+(\/|$)/.test(path)
    )
  );
  if (!standard) found.push("no function reaches the Deno standard library by npm:");
  return found;
}

const withoutPackage = (name: string) => (was: string): string => {
  const manifest = JSON.parse(was);
  for (const kind of ["dependencies", "devDependencies"]) delete manifest[kind]?.[name];
  return JSON.stringify(manifest);
};

fileLaw(
  "the nine entries of the design card and its packages are there",
  [...folders, ...files],
  offenders,
  {
    "a package that went": {
      path: "package.json",
      text: withoutPackage("yaml"),
      found: ["yaml is no dependency"],
    },
    "a file that went": { path: "deno.json", text: "", found: ["deno.json is missing"] },
  },
);
