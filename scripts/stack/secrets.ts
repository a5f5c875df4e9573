import { toBase64 } from "../../functions/_edge/base64.ts";
import { Sentence } from "./sentence.ts";

/** What can be generated when it is not set, and how its value begins. */
const generated = {
  INTAKE_TOKENS: () => `tradingview=${randomToken()}`,
  SERVICE_TOKEN: () => randomToken(),
  TELEGRAM_WEBHOOK_SECRET: () => randomToken(),
  APPROVAL_SIGNING_KEY: () => randomKey(),
  SECOND_FACTOR_KEY: () => randomKey(),
} as const;

export type Secret = keyof typeof generated;
const names = Object.keys(generated) as Secret[];

export interface Secrets {
  path: string;
  values: Partial<Record<string, string>>;
  /** Written just now. */
  made: Secret[];
}

function randomToken(): string {
  return [...crypto.getRandomValues(new Uint8Array(24))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const randomKey = (): string => toBase64(crypto.getRandomValues(new Uint8Array(32)));

/** `NAME=value` lines; a line that is none is a mistake worth a sentence, for what it holds would silently be lost. */
export function readSecrets(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.+)$/.exec(line) ?? [];
    if (!name) {
      throw new Sentence("secrets.env has a line that is not NAME=value: repair or remove it.");
    }
    return [name, value.replace(/^(["'])(.*)\1$/, "$2")];
  }));
}

/**
 * Reads `secrets.env`, adding what neither it nor the environment has. The environment wins, and what it sets is
 * never written down.
 */
export async function loadSecrets(
  directory: string,
  environment: (name: string) => string | undefined,
): Promise<Secrets> {
  const path = `${directory}/secrets.env`;
  const kept = readSecrets(await textOf(path));
  const made = names.filter((name) => !environment(name)?.trim() && kept[name] === undefined);
  for (const name of made) kept[name] = generated[name]();
  if (made.length > 0) await write(path, kept);
  return { path, values: kept, made };
}

async function textOf(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Never a moment in which others may read it, and never half a file. */
async function write(path: string, values: Record<string, string>): Promise<void> {
  const draft = `${path}.draft`;
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const text = [
    "# Made by npm start. Keep it to yourself; what the environment sets wins.",
    ...lines,
    "",
  ];
  await Deno.writeTextFile(draft, text.join("\n"), { mode: 0o600 });
  await Deno.chmod(draft, 0o600);
  await Deno.rename(draft, path);
}

/** The environment with the kept secrets behind it. */
export const withSecrets = (
  environment: (name: string) => string | undefined,
  secrets: Secrets,
) =>
(name: string): string | undefined => environment(name)?.trim() || secrets.values[name];
