import { reply } from "../../functions/_domain/notification.ts";
import { refusalText, replyText } from "../../functions/_domain/reply.ts";
import { Sentence } from "../stack/sentence.ts";
import { ask, databaseUrl, isRunning } from "./holder.ts";

interface Handled {
  outcome: string;
  refused?: string;
  reply?: string;
  [field: string]: unknown;
}

/** Posts what a member would write to the bot, where there is no bot, through the same webhook. */
export async function sayAs<T>(
  as: string,
  text: string,
): Promise<{ handled: T; running: boolean }> {
  if (databaseUrl() !== null) {
    throw new Sentence(
      "Members are simulated only on the embedded database: unset DATABASE_URL, or write to the bot.",
    );
  }
  const running = await isRunning();
  if (!running && Deno.env.get("TELEGRAM_BOT_TOKEN")) {
    throw new Sentence("Members are simulated only without TELEGRAM_BOT_TOKEN: write to the bot.");
  }
  return { handled: await ask<T>("say", { text, as: String(as) }), running };
}

/** Any command of the bot, without a phone: /stop, /resume, /confirm, /t3, /positions and the rest. */
export async function say(
  words: string[],
  options: { as?: string[]; json?: boolean },
): Promise<void> {
  const as = options.as?.[0];
  if (!as || words.length === 0) {
    throw new Sentence('Write: say "/stop t3 the exchange is down" --as <member>');
  }
  const { handled } = await sayAs<Handled>(as, words.join(" "));
  if (options.json) console.log(JSON.stringify(handled));
  if (handled.refused) throw new Sentence(`${handled.refused}: ${refusalText(handled.refused)}`);
  const answer = reply.safeParse(handled);
  if (!options.json) console.log(answer.success ? replyText(answer.data) : "Recorded.");
}
