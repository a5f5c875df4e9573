import { existsSync, mkdirSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { describe } from "vitest";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const isThere = existsSync(executablePath);

/** Tests in a real browser say so where there is none, and are counted as skipped. */
export function inChromium(name: string, body: () => void): void {
  if (!isThere) console.warn(`Skipped, since ${executablePath} is not there: ${name}`);
  describe.skipIf(!isThere)(name, body);
}

/** Quiet: it asks nothing of any host by itself. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });

const folder = new URL("../../../.scratch/command-center/", import.meta.url);

/** Where pictures are put to be looked at; git ignores it. */
export function picture(name: string): string {
  mkdirSync(folder, { recursive: true });
  return new URL(`${name}.png`, folder).pathname;
}
