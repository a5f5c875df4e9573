import { defineConfig } from "vitest/config";
import base from "../../vitest.config.ts";

/** What `npm run prove:guards` runs: the proof, which the suite leaves out. */
export default defineConfig({
  resolve: base.resolve,
  test: { include: ["tests/guards/proof.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
});
