import { root } from "../stack/files.ts";
import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { showObjects } from "./output.ts";
import { limitOf, present, secondsOf, type SqlOptions } from "./sql.ts";
import { verifyApprovals, type VerifyOptions } from "./verify-approvals.ts";

const directory = `${root}docs/audit`;

interface Question {
  name: string;
  /** `finds`: no row is good news. `lists`: rows are what it is for. */
  kind: string;
  what: string;
}

async function questions(): Promise<Question[]> {
  const found: Question[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    if (!name.endsWith(".sql")) continue;
    const [, kind = "", what = ""] =
      /^-- (finds|lists): (.+)/.exec(await Deno.readTextFile(`${directory}/${name}`)) ?? [];
    found.push({ name: name.slice(0, -".sql".length), kind, what });
  }
  found.push({
    name: "verify-approvals",
    kind: "finds",
    what: "decisions that the platform did not sign as they stand there",
  });
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

/** `audit list`, or the rows of one of them under the sentence on how to read it. */
export async function audit(name: string, options: SqlOptions & VerifyOptions): Promise<void> {
  const json = options.json === true;
  if (name === "verify-approvals") return await verifyApprovals(options);
  const known = await questions();
  if (name === "list") return list(known, json);
  const question = known.find((one) => one.name === name);
  if (!question) throw new Sentence(`There is no audit query "${name}": npm run ags -- audit list`);
  const text = await Deno.readTextFile(`${directory}/${name}.sql`);
  const limit = limitOf(options.limit);
  const answer = await askAsAuditor(text, limit, secondsOf(options.seconds));
  if (!json) {
    const comments = text.split("\n").filter((line) => /^-- (finds|lists|Read):/.test(line));
    console.log(`${comments.map((line) => line.slice(3)).join("\n")}\n`);
  }
  present(answer, limit, json);
  if (!json && question.kind === "finds" && answer.rows.length === 0) console.log("Nothing found.");
}

function list(known: Question[], json: boolean): void {
  if (json) return showObjects(known, [], true);
  const width = Math.max(...known.map(({ name }) => name.length));
  for (const { name, kind, what } of known) console.log(`${name.padEnd(width)}  ${kind}: ${what}`);
}
