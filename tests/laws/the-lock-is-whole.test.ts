import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

interface Package {
  optionalDependencies?: Record<string, string>;
  integrity?: string;
  link?: boolean;
  optional?: boolean;
  os?: string[];
}

/**
 * npm, run beside an installed node_modules, can write a lock file that has this machine's optional packages alone:
 * `npm ci` then fails for everybody, or installs a Deno and a Supabase CLI on this kind of machine only.
 */
function offenders(tree: Tree): string[] {
  const packages: Record<string, Package> = JSON.parse(tree.get("package-lock.json")!).packages;
  return Object.entries(packages).flatMap((
    [path, { optionalDependencies, integrity, link, optional, os }],
  ) => [
    ...Object.keys(optionalDependencies ?? {})
      .filter((name) =>
        !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`]
      )
      .map((name) => `${path} lacks ${name}`),
    // What another kind of machine needs may not have been fetched where the lock was written.
    ...path !== "" && !link && !integrity && !(optional && os) ? [`${path} has no checksum`] : [],
  ]);
}

const change = (edit: (packages: Record<string, Package>) => void) => (was: string): string => {
  const lock = JSON.parse(was);
  edit(lock.packages);
  return JSON.stringify(lock);
};

fileLaw(
  "the lock file serves every kind of machine, and has a checksum of what runs everywhere",
  ["package-lock.json"],
  offenders,
  {
    "a package for one kind of machine that went": {
      path: "package-lock.json",
      text: change((all) => {
        all["node_modules/deno"].optionalDependencies = { "@deno/planted": "2.9.6" };
      }),
      found: ["node_modules/deno lacks @deno/planted"],
    },
    "a package without a checksum": {
      path: "package-lock.json",
      text: change((all) => delete all["node_modules/zod"].integrity),
      found: ["node_modules/zod has no checksum"],
    },
  },
);
