import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

// Whoever installs uses the registry of their own npm; an address in the lock file would overrule it.
const offenders = (tree: Tree): string[] =>
  [...tree].flatMap(([path, text]) =>
    text.split("\n").flatMap((line, i) =>
      /"resolved"\s*:|^\s*(@[\w-]+:)?registry\s*=|_authToken/.test(line) ? [`${path}:${i + 1}`] : []
    )
  );

const places = ["package-lock.json", ".npmrc", "scripts/bench/rivals"];

fileLaw("no registry is written down", places, offenders, {
  "a resolved address": {
    path: "package-lock.json",
    text: '{\n  "resolved": "anywhere"\n}\n',
    found: ["package-lock.json:2"],
  },
  "a resolved address in the bench's own lock": {
    path: "scripts/bench/rivals/package-lock.json",
    text: '{\n  "resolved": "anywhere"\n}\n',
    found: ["scripts/bench/rivals/package-lock.json:2"],
  },
  "a registry": {
    path: ".npmrc",
    text: "fund=false\nregistry=https://registry.example\n",
    found: [".npmrc:2"],
  },
});
