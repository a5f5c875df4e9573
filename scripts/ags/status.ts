import { requestCode, taskId } from "../../functions/_domain/telegram-command.ts";
import { Sentence } from "../stack/sentence.ts";
import { ask, unlessRefused } from "./holder.ts";
import { cell } from "./output.ts";

interface Step {
  node_id: string;
  status: string;
  agent: string;
  last_code: string | null;
}

export async function status(id: string, options: { json?: boolean }): Promise<void> {
  if (!requestCode.test(id) && !taskId.test(id)) {
    throw new Sentence(
      "An id looks like T-2025-09-28-0012, a request's code like T2-20250928-0012.",
    );
  }
  const task = unlessRefused(await ask<Record<string, unknown>>("status", { id }));
  if (options.json) return console.log(JSON.stringify(task));
  const { steps, decisions: _, ...rest } = task;
  for (const [name, value] of Object.entries(rest)) {
    if (value !== null) console.log(`${name.padEnd(10)} ${cell(value)}`);
  }
  for (const { node_id, status: step, agent, last_code } of (steps ?? []) as Step[]) {
    console.log(
      `  ${node_id.padEnd(10)} ${step.padEnd(18)} ${agent}${last_code ? `  ${last_code}` : ""}`,
    );
  }
}
