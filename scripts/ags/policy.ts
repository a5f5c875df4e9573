import { parsePolicy } from "../../functions/_policy/parse-policy.ts";
import { root } from "../stack/files.ts";
import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { records } from "./output.ts";

const shipped = `${root}policies/policy.yaml`;

export async function policy(
  what: string,
  file: string | undefined,
  options: { json?: boolean },
): Promise<void> {
  if (what === "show") return await show(options.json === true);
  if (what === "activate") return await activate(file ?? shipped, options.json === true);
  throw new Sentence(`policy does not know "${what}": show or activate.`);
}

/** The text that is in force, byte for byte, so that it can be compared with a file. */
async function show(json: boolean): Promise<void> {
  const [active] = records(
    await askAsAuditor("select * from public.policies where status = 'active'", 1),
  );
  if (!active) throw new Sentence("No policy is active: npm run ags -- policy activate");
  if (json) return console.log(JSON.stringify(active));
  console.error(
    `# ${active.policy_sha256}, active since ${active.activated_at}, by ${active.activated_by}`,
  );
  await Deno.stdout.write(new TextEncoder().encode(String(active.policy_text)));
}

async function activate(file: string, json: boolean): Promise<void> {
  const text = await Deno.readTextFile(file).catch((error) => {
    throw new Sentence(`${file} cannot be read (${error.message}).`);
  });
  const read = await parsePolicy(text);
  if (!read.ok) throw new Sentence(`${read.code}: ${read.reason}`);
  const result = unlessRefused(
    await ask<{ policy_sha256: string; changed: boolean }>("administer", {
      name: "activate_policy",
      args: { p_text: read.text, p_body: read.policy, p_actor: actor() },
    }),
  );
  if (json) return console.log(JSON.stringify(result));
  console.log(
    result.changed
      ? `Active: ${result.policy_sha256}. Processes built with another policy plan and decide nothing: npm run generate, then restart them.`
      : `${result.policy_sha256} was active already.`,
  );
}
