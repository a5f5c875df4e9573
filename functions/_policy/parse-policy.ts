import { parseDocument } from "yaml";
import { type Policy, policySchema } from "../_domain/policy.ts";
import { contradictions } from "./check-policy.ts";

export type PolicyResult =
  | { ok: true; policy: Policy; sha256: string; text: string }
  | { ok: false; code: "policy_invalid"; reason: string };

// The shipped file has under 8 KiB. The parser is linear, but it recurses: depth is bounded on its own.
const maxBytes = 64 * 1024;
const maxDepth = 32;

export const invalidPolicy = (reason: string): PolicyResult => ({
  ok: false,
  code: "policy_invalid",
  reason: reason.length > 600 ? `${reason.slice(0, 600)}…` : reason,
});

/**
 * A policy from its text, whole or not at all: there is no default and no partly valid policy.
 * The hash covers the text's UTF-8 bytes, so it is the file's.
 */
export async function parsePolicy(text: string): Promise<PolicyResult> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > maxBytes) return invalidPolicy(`the file has more than ${maxBytes} bytes`);
  const read = readYaml(text);
  if (!read.ok) return invalidPolicy(read.reason);
  const shaped = policySchema.safeParse(read.value);
  if (!shaped.success) {
    return invalidPolicy(
      shaped.error.issues.slice(0, 5)
        .map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`).join("; "),
    );
  }
  const troubles = contradictions(shaped.data);
  if (troubles.length > 0) return invalidPolicy(troubles.slice(0, 5).join("; "));
  return { ok: true, policy: shaped.data, sha256: await sha256Hex(bytes), text };
}

function readYaml(text: string): { ok: true; value: unknown } | { ok: false; reason: string } {
  if (deepest(text) > maxDepth) return { ok: false, reason: "the file nests too deeply" };
  try {
    const document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      strict: true,
      uniqueKeys: true,
      stringKeys: true,
      prettyErrors: false,
      // "silent" would also silence the refusal of a second document.
      logLevel: "error",
    });
    const trouble = document.errors[0] ?? document.warnings[0];
    if (trouble !== undefined) {
      const line = text.slice(0, trouble.pos[0]).split("\n").length;
      return { ok: false, reason: `line ${line}: ${trouble.message}` };
    }
    // No aliases at all: they save nobody typing here, and a few lines of them unfold to gigabytes.
    return { ok: true, value: document.toJS({ maxAliasCount: 0 }) };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

// Brackets, and dashes on one line ("- - - x"), are the ways to nest without paying a line per level.
// Strings are not told apart: a policy has no use for 32 open brackets in one.
function deepest(text: string): number {
  let depth = 0;
  let most = 0;
  for (const character of text) {
    if (character === "[" || character === "{") most = Math.max(most, ++depth);
    else if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
  }
  for (const line of text.split("\n")) {
    const lead = /^[\s\-?:]*/.exec(line)?.[0] ?? "";
    most = Math.max(most, Math.ceil(lead.length / 2));
  }
  return most;
}

export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
