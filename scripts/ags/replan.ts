import { Sentence } from "../stack/sentence.ts";
import { actor, ask, unlessRefused } from "./holder.ts";

/** Has the work of a task at its gate done a second time; the same result keeps the answers that were given. */
export async function replan(
  task: string,
  reason: string[],
  options: { json?: boolean },
): Promise<void> {
  if (reason.length === 0) throw new Sentence("Write: replan <task id> <why>");
  const begun = unlessRefused(
    await ask<{ task_id: string; status: string }>("administer", {
      name: "replan_task",
      args: { p_task_id: task, p_reason: reason.join(" "), p_actor: actor() },
    }),
  );
  console.log(
    options.json ? JSON.stringify(begun) : `The work of ${begun.task_id} is being done anew.`,
  );
}
