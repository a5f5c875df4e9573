import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Functions import Deno's way (`npm:name@version/path`); under Node the same package comes from node_modules.
const npmSpecifier = /^npm:((?:@[^/]+\/)?[^/@]+)(?:@[^/]+)?(\/.*)?$/;

export default defineConfig({
  resolve: {
    alias: [
      { find: npmSpecifier, replacement: "$1$2" },
      {
        find: "#html/jsx-runtime",
        replacement: fileURLToPath(new URL("command-center/html/jsx-runtime.ts", import.meta.url)),
      },
    ],
  },
  oxc: { jsx: { runtime: "automatic", importSource: "#html", development: false } },
  test: {
    include: ["tests/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // The journeys mostly wait for processes of their own, so one worker more than the usual two cores pays.
    maxWorkers: 3,
  },
});
