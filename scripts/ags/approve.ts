import { refusalText } from "../../functions/_domain/reply.ts";
import { Sentence } from "../stack/sentence.ts";
import { sayAs } from "./say.ts";

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
  options: { as?: string[]; otp?: string[]; json?: boolean },
): Promise<void> {
  if (decision !== "yes" && decision !== "no") {
    throw new Sentence("Decide with yes or no: approve <code> yes|no [reason] --as <member>");
  }
  const as = options.as?.[0];
  if (!as) throw new Sentence("Say whose decision it is: --as <member>");
  // The command line's parser reads a number and drops its leading zeros.
  const otp = options.otp?.[0] === undefined ? null : String(options.otp[0]).padStart(6, "0");
  if (otp !== null && !/^\d{6}$/.test(otp)) {
    throw new Sentence("A code has six digits: --otp 123456");
  }
  const words = ["/approve", code, decision, otp === null ? "" : `otp:${otp}`, ...reason];
  const { handled, running } = await sayAs<Handled>(as, words.filter(Boolean).join(" "));
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
