// npm writes into the lock only the platforms whose packages the registry at hand serves. A mirror may hold one
// platform alone; `npm ci` then refuses the lock. This adds the missing optional packages, without address or checksum.
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const { packages } = lock;

const libcOf = (name) =>
  name.includes("musl") ? ["musl"] : name.includes("glibc") ? ["glibc"] : null;
const osOf = (name) =>
  name.includes("darwin") ? "darwin" : /win(32|dows)/.test(name) ? "win32" : "linux";

for (const owner of Object.values({ ...packages })) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (packages[key]) continue;
    const libc = libcOf(name);
    packages[key] = {
      version,
      cpu: [name.includes("arm64") ? "arm64" : "x64"],
      ...(owner.dev ? { dev: true } : {}),
      ...(libc ? { libc } : {}),
      license: owner.license,
      optional: true,
      os: [osOf(name)],
    };
    console.log(`added ${key}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a < b ? -1 : 1));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
