import { renderUnicodeCompact } from "uqr";
import { toBase64 } from "../../functions/_edge/base64.ts";
import { enrolmentUri, newSeed, stepOf } from "../../functions/_edge/totp.ts";
import { Sentence } from "../stack/sentence.ts";
import { actor, ask, unlessRefused } from "./holder.ts";

interface Listed {
  member_id: string;
  name: string;
}
export interface Enrolled extends Record<string, unknown> {
  name: string;
  role: string;
}

const tries = 3;

/**
 * Shows a new seed once, asks for one code of it, and stores it sealed. The seed goes to stderr, so that no redirected
 * output keeps it; whoever sees it has the second factor, hence the member should be the one at the terminal.
 */
export async function enroll(who: string): Promise<Enrolled> {
  const members = unlessRefused(
    await ask<Listed[]>("administer", { name: "list_members", args: {} }),
  );
  const member = members.find(({ name }) => name.toLowerCase() === who.toLowerCase());
  if (!member) throw new Sentence(`No active member is called ${who}: npm run ags -- members list`);
  const seed = newSeed();
  const uri = enrolmentUri(seed, member.name);
  console.error(renderUnicodeCompact(uri));
  console.error(uri);
  console.error("Scan this with an authenticator app, then type the six digits that it shows:");
  await confirm(seed);
  const ciphertext = await ask<string>("seal_seed", {
    member_id: member.member_id,
    seed: toBase64(seed),
  });
  const args = { p_member: member.member_id, p_ciphertext: ciphertext, p_actor: actor() };
  return unlessRefused(await ask<Enrolled>("administer", { name: "enroll_second_factor", args }));
}

/** A seed that was scanned wrongly would lock its member out of every T3 decision, and be noticed only then. */
async function confirm(seed: Uint8Array<ArrayBuffer>): Promise<void> {
  let left = tries;
  for await (const line of lines()) {
    if (await stepOf(seed, line.replace(/\s/g, ""), new Date()) !== null) return;
    left -= 1;
    if (left === 0) break;
    console.error("That is not a code of this seed, or the clocks differ. The next one:");
  }
  throw new Sentence("Nothing was stored: no code confirmed that the app has this seed.");
}

async function* lines(): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (text + chunk).split("\n");
    text = parts.pop() ?? "";
    yield* parts;
  }
  if (text !== "") yield text;
}
