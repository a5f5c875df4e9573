import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { show } from "./output.ts";

const open =
  "select alert_id, code, severity, subject, value, threshold, seen, opened_at, last_seen_at, acknowledged_by from public.alerts where closed_at is null order by severity = 'critical' desc, opened_at";
const id = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** What a person must look at: which alerts are open, that somebody took note of one, and what became of it. */
export async function alerts(
  what: string,
  alert: string | undefined,
  reason: string[],
  options: { json?: boolean },
): Promise<void> {
  const json = options.json === true;
  if (what === "list") return show(await askAsAuditor(open, 1000), json);
  if (what !== "acknowledge" && what !== "close") {
    throw new Sentence(`alerts does not know "${what}": list, acknowledge or close.`);
  }
  if (!alert || !id.test(alert)) {
    throw new Sentence(`Say which alert, by its whole id from alerts list: alerts ${what} <id>`);
  }
  if (what === "close" && reason.length === 0) {
    throw new Sentence("Write: alerts close <id> <reason>");
  }
  const answer = unlessRefused(
    await ask<{ code: string; subject: string }>("administer", {
      name: `${what}_alert`,
      args: {
        p_alert: alert,
        ...(what === "close" ? { p_reason: reason.join(" ") } : {}),
        p_actor: actor(),
      },
    }),
  );
  if (json) return console.log(JSON.stringify(answer));
  console.log(
    what === "close"
      ? `${answer.code} of ${answer.subject} is closed.`
      : `${answer.code} of ${answer.subject} is noted in your name; it stays open.`,
  );
}
