import { Sentence } from "../stack/sentence.ts";
import { actor, ask, unlessRefused } from "./holder.ts";

/** `t3` in front of the reason narrows the stop; a reason that merely begins with those letters does not. */
export function stopOf(words: string[]): { scope: "all" | "t3"; reason: string } {
  const [first, ...rest] = words;
  const narrow = first === "t3";
  const reason = (narrow ? rest : words).join(" ").trim();
  if (reason === "") throw new Sentence("Say why: stop [t3] <reason>");
  return { scope: narrow ? "t3" : "all", reason };
}

/** The way to stop that needs no Telegram. There is none from here to go on again: that takes two people. */
export async function stop(words: string[], options: { json?: boolean }): Promise<void> {
  const { scope, reason } = stopOf(words);
  const stopped = unlessRefused(
    await ask<{ changed: boolean }>("administer", {
      name: "stop",
      args: { p_scope: scope, p_reason: reason, p_actor: actor() },
    }),
  );
  if (options.json) return console.log(JSON.stringify(stopped));
  const what = scope === "t3" ? "effects of tier T3" : "effects, posts included,";
  console.log(
    `${stopped.changed ? "Stopped" : "Already stopped"}: no ${what} start. Every member is told.`,
  );
  console.log(
    "To go on: /resume in Telegram, confirmed by another person, an owner among the two.",
  );
}
