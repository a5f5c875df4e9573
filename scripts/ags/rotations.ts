import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { show } from "./output.ts";

const all =
  "select name, in_use, due_at <= now() as overdue, due_at, rotated_at, recorded_by, shared, scope from public.secret_rotations order by in_use desc, due_at, name";

/** When which secret was last changed. The database knows names and dates; the secrets themselves it never sees. */
export async function rotations(
  what: string,
  name: string | undefined,
  options: { unused?: boolean; json?: boolean },
): Promise<void> {
  const json = options.json === true;
  if (what === "list") return show(await askAsAuditor(all, 1000), json);
  if (what !== "record") throw new Sentence(`rotations does not know "${what}": list or record.`);
  if (!name) throw new Sentence("Write: rotations record <name> [--unused], e.g. LLM_API_KEY");
  const recorded = unlessRefused(
    await ask<{ name: string; in_use: boolean; due_at: string }>("administer", {
      name: "record_rotation",
      args: { p_name: name, p_in_use: options.unused !== true, p_actor: actor() },
    }),
  );
  if (json) return console.log(JSON.stringify(recorded));
  console.log(
    recorded.in_use
      ? `${recorded.name} was changed now; it is due again on ${recorded.due_at}.`
      : `${recorded.name} is not used; nobody is reminded of it.`,
  );
}
