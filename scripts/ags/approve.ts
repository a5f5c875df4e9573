import { refusalText } from "../../functions/_domain/reply.ts";
import { Sentence } from "../stack/sentence.ts";
import { ask, databaseUrl, isRunning } from "./holder.ts";

interface Handled {
  refused?: string;
  code?: string;
  decision?: string;
  status?: string;
  task_id?: string;
  reply?: string;
}

/** What a member would write to the bot, where there is no bot. */
export async function approve(
  code: string,
  decision: string,
  reason: string[],
  options: { as?: string[]; json?: boolean },
): Promise<void> {
  if (decision !== "yes" && decision !== "no") {
    throw new Sentence("Decide with yes or no: approve <code> yes|no [reason] --as <member>");
  }
  const as = options.as?.[0];
  if (!as) throw new Sentence("Say whose decision it is: --as <member>");
  if (databaseUrl() !== null) {
    throw new Sentence(
      "Decisions are simulated only on the embedded database: unset DATABASE_URL, or decide in Telegram.",
    );
  }
  const running = await isRunning();
  if (!running && Deno.env.get("TELEGRAM_BOT_TOKEN")) {
    throw new Sentence(
      "Decisions are simulated only without TELEGRAM_BOT_TOKEN: decide in Telegram.",
    );
  }
  const handled = await ask<Handled>("approve", {
    code,
    decision,
    reason: reason.join(" ") || null,
    as: String(as),
  });
  if (options.json) console.log(JSON.stringify(handled));
  if (handled.reply === "usage") {
    throw new Sentence(`${code} is no request's code: look at the card, e.g. T2-20250928-0012.`);
  }
  if (handled.refused) throw new Sentence(`${handled.refused}: ${refusalText(handled.refused)}`);
  if (options.json) return;
  const said = handled.decision === "approve" ? "approved" : "rejected";
  console.log(
    `${handled.code} ${said} as ${as}; the request is ${handled.status} (simulated: no outside channel follows from it).`,
  );
  if (!running) console.log("The platform does not run here; it goes on with npm start.");
}
