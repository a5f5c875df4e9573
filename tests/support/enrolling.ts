import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { codeOf, stepAt } from "../../functions/_edge/totp.ts";
import type { Ran, Stack } from "./stack.ts";

export type Seed = Uint8Array<ArrayBuffer>;
const launcher = fileURLToPath(new URL("../../scripts/launch.mjs", import.meta.url));

function fromBase32(text: string): Seed {
  const bits = [...text].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")
  ).join("");
  return Uint8Array.from(bits.match(/.{8}/g)!, (byte) => parseInt(byte, 2));
}

/** `members enroll` with somebody at the terminal: `answer` is given the seed of the picture and says what is typed. */
export function enroll(
  stack: Stack,
  name: string,
  answer: (seed: Seed) => string[],
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [launcher, "ags", "members", "enroll", name], {
      env: { ...process.env, ...stack.env, PORT: String(stack.port), DATA_DIR: stack.dataDir },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const ran: Ran = { code: null, out: "", err: "" };
    let answered = false;
    child.stdout.setEncoding("utf8").on("data", (text) => ran.out += text);
    child.stderr.setEncoding("utf8").on("data", (text) => {
      ran.err += text;
      const [, secret] = /otpauth:\S+[?&]secret=([A-Z2-7]+)\S*\n/.exec(ran.err) ?? [];
      if (secret === undefined || answered) return;
      answered = true;
      child.stdin.end(answer(fromBase32(secret)).map((line) => `${line}\n`).join(""));
    });
    child.once("close", (code) => resolve({ ...ran, code }));
  });
}

/** What the authenticator shows; `ahead` half minutes from now. */
export const codeNow = (seed: Seed, ahead = 0): string => codeOf(seed, stepAt(new Date()) + ahead);
