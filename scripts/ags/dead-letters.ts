import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { show } from "./output.ts";

const open =
  "select letter_id, task_id, node_id, agent, tool, code, attempts, errors -> -1 ->> 'error' as last_error, first_failed_at, last_failed_at from public.dead_letters where resolution is null order by last_failed_at";
const id = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const resolutions: Record<string, string> = { requeue: "requeued", dismiss: "dismissed" };

/** Steps that failed for good by trying: which wait for a person, and what becomes of one. */
export async function deadLetters(
  what: string,
  letter: string | undefined,
  reason: string[],
  options: { json?: boolean },
): Promise<void> {
  const json = options.json === true;
  if (what === "list") return show(await askAsAuditor(open, 1000), json);
  if (!Object.hasOwn(resolutions, what)) {
    throw new Sentence(`dead-letters does not know "${what}": list, requeue or dismiss.`);
  }
  if (!letter || !id.test(letter) || reason.length === 0) {
    throw new Sentence(`Write: dead-letters ${what} <id> <reason>, the whole id from the list`);
  }
  const answer = unlessRefused(
    await ask<{ task_id: string; next_task_id?: string }>("administer", {
      name: "resolve_dead_letter",
      args: {
        p_letter: letter,
        p_resolution: resolutions[what],
        p_reason: reason.join(" "),
        p_actor: actor(),
      },
    }),
  );
  if (json) return console.log(JSON.stringify(answer));
  console.log(
    answer.next_task_id
      ? `${answer.task_id} is asked for anew as ${answer.next_task_id}.`
      : `The letter of ${answer.task_id} is put away.`,
  );
}
