import { parsePolicy, type PolicyResult } from "../../functions/_policy/parse-policy.ts";
import { root } from "../stack/files.ts";
import { Sentence } from "../stack/sentence.ts";

export const shipped = `${root}policies/policy.yaml`;

/** A policy from a file, whole and checked, or a sentence about what is wrong with it. */
export async function policyFrom(file: string): Promise<Extract<PolicyResult, { ok: true }>> {
  const text = await Deno.readTextFile(file).catch((error) => {
    throw new Sentence(`${file} cannot be read (${error.message}).`);
  });
  const read = await parsePolicy(text);
  if (!read.ok) throw new Sentence(`${read.code}: ${read.reason}`);
  return read;
}
