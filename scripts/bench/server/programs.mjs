// Where a PostgreSQL with pgvector can be found on this machine, and how it has to be run.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

const treeCache = process.env.CI_CACHE ?? "/var/cache/dynamic-ags-ci";

function newest(folder) {
  return existsSync(folder)
    ? readdirSync(folder).filter((name) => /^\d+$/.test(name)).sort((a, b) => b - a)
    : [];
}

/** Where `CREATE EXTENSION vector` would look, for the programs in this folder. */
function sharesOf(bin, root) {
  const version = /postgresql\/(\d+)\/bin$/.exec(bin)?.[1];
  return [
    ...version ? [join(root, "usr/share/postgresql", version, "extension")] : [],
    join(dirname(bin), "share/extension"),
    join(dirname(bin), "share/postgresql/extension"),
  ];
}

function candidate(bin, root = "/") {
  const inRoot = root === "/" ? bin : join(root, bin);
  if (!["initdb", "postgres"].every((name) => existsSync(join(inRoot, name)))) return [];
  const shares = sharesOf(bin, root);
  return [{
    bin,
    root,
    has: (extension) => shares.some((folder) => existsSync(join(folder, `${extension}.control`))),
  }];
}

function candidates() {
  const onPath = (process.env.PATH ?? "").split(delimiter)
    .filter((folder) => folder && existsSync(join(folder, "initdb")));
  const installed = newest("/usr/lib/postgresql").map((version) =>
    `/usr/lib/postgresql/${version}/bin`
  );
  // A tree is entered by chroot, which is root's alone.
  const trees = process.getuid?.() === 0 && existsSync(treeCache)
    ? readdirSync(treeCache).filter((name) => existsSync(join(treeCache, name, ".complete")))
    : [];
  return [
    ...onPath.flatMap((folder) => candidate(folder)),
    ...installed.flatMap((folder) => candidate(folder)),
    ...trees.flatMap((name) =>
      newest(join(treeCache, name, "usr/lib/postgresql")).flatMap((version) =>
        candidate(`/usr/lib/postgresql/${version}/bin`, join(treeCache, name))
      )
    ),
  ];
}

/** Who owns the server's files: initdb and postgres refuse root. Null where this process may do it itself. */
export function serverUser() {
  if (process.getuid?.() !== 0) return null;
  const [, , uid, gid] = execFileSync("getent", ["passwd", "postgres"], { encoding: "utf8" }).split(
    ":",
  );
  return { uid: Number(uid), gid: Number(gid) };
}

/** The programs to start, or why there are none, in words. */
export function findPrograms() {
  const found = candidates();
  const whole = found.find(({ has }) => has("vector"));
  if (whole) return { programs: whole };
  return {
    problem: found.length === 0
      ? "No PostgreSQL was found: not on PATH, not in /usr/lib/postgresql. Install one, or set DATABASE_URL."
      : `PostgreSQL was found (${found.map(({ bin }) => bin).join(", ")}), pgvector was not. ` +
        "Install it there, make the tree of scripts/ci/tree.sh as root, or set DATABASE_URL.",
  };
}

/** A program that only connects, such as pgbench: any version will do. */
export function findClient(name) {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter).filter(Boolean),
    ...newest("/usr/lib/postgresql").map((version) => `/usr/lib/postgresql/${version}/bin`),
  ];
  const folder = folders.find((path) => existsSync(join(path, name)));
  return folder ? join(folder, name) : null;
}
