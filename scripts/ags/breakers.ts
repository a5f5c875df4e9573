import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { show } from "./output.ts";

const all =
  "select b.tool, b.state, b.consecutive_failures as failures, b.first_opened_at as since, case b.state when 'open' then b.opened_at + interval '2 minutes' when 'half_open' then b.probe_until end as next_probe_at, (select count(*) from public.fallback_queue q where q.tool = b.tool and q.drained_at is null) as waiting, b.reason, b.changed_by from public.circuit_breakers b order by b.state = 'closed', b.tool";

/** Which tools may be called; that one is left alone, or trusted again, in your name. */
export async function breakers(
  what: string,
  tool: string | undefined,
  reason: string[],
  options: { json?: boolean },
): Promise<void> {
  const json = options.json === true;
  if (what === "list") return show(await askAsAuditor(all, 1000), json);
  if (what !== "trip" && what !== "reset") {
    throw new Sentence(`breakers does not know "${what}": list, trip or reset.`);
  }
  if (!tool || reason.length === 0) {
    throw new Sentence(`Write: breakers ${what} <tool> <reason>, e.g. quotes.read`);
  }
  const answer = unlessRefused(
    await ask<{ tool: string; was: string; state: string }>("administer", {
      name: `${what}_breaker`,
      args: { p_tool: tool, p_reason: reason.join(" "), p_actor: actor() },
    }),
  );
  if (json) return console.log(JSON.stringify(answer));
  console.log(
    what === "trip"
      ? `${answer.tool} was ${answer.was} and is left alone from now on; after two minutes one call asks whether it is back.`
      : `${answer.tool} was ${answer.was} and is called again; what waited goes on, a few at a time.`,
  );
}
