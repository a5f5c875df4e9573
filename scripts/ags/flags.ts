import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { show } from "./output.ts";

const all =
  "select key, enabled, updated_by, updated_at, reason from public.feature_flags order by key";

/** Switches with who, when and why; the change is audited like every other. */
export async function flags(
  what: string,
  key: string | undefined,
  state: string | undefined,
  reason: string[],
  options: { json?: boolean },
): Promise<void> {
  const json = options.json === true;
  if (what === "list") return show(await askAsAuditor(all, 10_000), json);
  if (what !== "set") throw new Sentence(`flags does not know "${what}": list or set.`);
  if (!key || (state !== "on" && state !== "off") || reason.length === 0) {
    throw new Sentence("Write: flags set <key> on|off <reason>");
  }
  const flag = unlessRefused(
    await ask<{ key: string; enabled: boolean }>("administer", {
      name: "set_flag",
      args: {
        p_key: key,
        p_enabled: state === "on",
        p_reason: reason.join(" "),
        p_actor: actor(),
      },
    }),
  );
  console.log(json ? JSON.stringify(flag) : `${flag.key} is ${flag.enabled ? "on" : "off"}.`);
}
