/**
 * Writes what functions carry with them as modules, since static files are not reliably shipped with a function.
 * `--check` writes nothing and exits 1 when a module is stale. An invalid policy is not embedded.
 */
import { parsePolicy } from "../functions/_policy/parse-policy.ts";

/** The module for a policy file. Line by line, so that a change reads as a change; escaped, so that every byte survives. */
export async function policyModule(bytes: Uint8Array): Promise<string> {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const result = await parsePolicy(text);
  if (!result.ok) throw new Error(`policies/policy.yaml: ${result.reason}`);
  const lines = text.split("\n").map((line) => `  ${JSON.stringify(line)},`);
  return [
    "// deno-fmt-ignore-file",
    "// Written by `npm run generate` from policies/policy.yaml. Change that file, not this one.",
    "",
    "/** sha256 of the file's bytes. */",
    `export const policySha256 = "${result.sha256}";`,
    "",
    "export const policyText = [",
    ...lines,
    '].join("\\n");',
    "",
  ].join("\n");
}

/** `arguments_`: optionally `--check`, optionally another root than the project's. Returns the exit code. */
export async function generate(arguments_: string[]): Promise<number> {
  const check = arguments_.includes("--check");
  const given = arguments_.find((argument) => !argument.startsWith("-"));
  const root = given ?? decodeURIComponent(new URL("..", import.meta.url).pathname);
  const target = "functions/_policy/policy.generated.ts";
  let wanted: string;
  try {
    wanted = await policyModule(await Deno.readFile(`${root}/policies/policy.yaml`));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
  const found = await Deno.readTextFile(`${root}/${target}`).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (found === wanted) {
    console.log(`${target} is current`);
    return 0;
  }
  if (check) {
    console.error(`${target} is stale: npm run generate`);
    return 1;
  }
  await Deno.writeTextFile(`${root}/${target}`, wanted);
  console.log(`${target} written`);
  return 0;
}

if (import.meta.main) Deno.exit(await generate(Deno.args));
