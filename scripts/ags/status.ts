import { requestCode, taskId } from "../../functions/_domain/telegram-command.ts";
import { stackFile } from "../stack/files.ts";
import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { cell, records } from "./output.ts";

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
  const text = (await stackFile("../ags/status.sql")).replaceAll(":id", `'${id}'`);
  const [task] = records(await askAsAuditor(text, 1));
  if (!task) throw new Sentence(`There is no task or request ${id}.`);
  if (options.json) return console.log(JSON.stringify(task));
  const { steps, ...rest } = task;
  for (const [name, value] of Object.entries(rest)) {
    if (value !== null) console.log(`${name.padEnd(10)} ${cell(value)}`);
  }
  for (const { node_id, status: step, agent, last_code } of (steps ?? []) as Step[]) {
    console.log(
      `  ${node_id.padEnd(10)} ${step.padEnd(18)} ${agent}${last_code ? `  ${last_code}` : ""}`,
    );
  }
}
