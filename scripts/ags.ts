import cac from "cac";
import { DatabaseError } from "../functions/_database/database.ts";
import { approve } from "./ags/approve.ts";
import { audit } from "./ags/audit.ts";
import { defaultSeconds } from "./ags/auditor.ts";
import { backup, restore } from "./ags/backup.ts";
import { flags } from "./ags/flags.ts";
import { health } from "./ags/health.ts";
import { members } from "./ags/members.ts";
import { policy } from "./ags/policy.ts";
import { statementFirst } from "./ags/question.ts";
import { settle } from "./ags/settle.ts";
import { defaultLimit, sql } from "./ags/sql.ts";
import { status } from "./ags/status.ts";
import { explain } from "./stack/sentence.ts";

const cli = cac("npm run ags --");
const json = ["--json", "Machine-readable output"] as const;
const rows = ["--limit <rows>", `At most this many rows (${defaultLimit})`] as const;
const seconds = [
  "--seconds <seconds>",
  `Give up after this many seconds (${defaultSeconds.embedded}; ${defaultSeconds.postgres} with DATABASE_URL)`,
] as const;

cli.command(
  "sql <statement>",
  "One question to the database, as its auditor, who can write nothing",
)
  .option(...json).option(...rows).option(...seconds)
  .example(
    'npm run ags -- sql "select task_id, status, goal from tasks order by created_at desc limit 5"',
  )
  .action(sql);
cli.command("audit <name>", "A named question; `audit list` tells which there are")
  .option(...json).option(...rows).option(...seconds)
  .example("npm run ags -- audit stuck")
  .action(audit);
cli.command("members <what> [who]", "add, list or remove who may decide; every owner is told")
  .option("--role <role>", "owner, operator or reviewer")
  .option(
    "--telegram <id>",
    "Numeric Telegram id; a person learns it by sending /start to the bot",
    { type: [String] },
  )
  .option("--name <name>", "One word", { type: [String] })
  .option("--person <name>", "The member who is the same person with another account", {
    type: [String],
  })
  .option(...json)
  .example("npm run ags -- members add --role operator --telegram 1001 --name otto")
  .example("npm run ags -- members remove otto")
  .action(members);
cli.command(
  "approve <code> <decision> [...reason]",
  "Decide without a phone: embedded database, no bot token; yes or no",
)
  .option("--as <member>", "Whose decision it is", { type: [String] })
  .option(...json)
  .example("npm run ags -- approve T2-20250928-0012 no too late --as otto")
  .action(approve);
cli.command(
  "settle <effect> <outcome> [...reason]",
  "What became of an effect that nobody saw: done or not-done, in your name",
)
  .option(...json)
  .example("npm run ags -- settle 0b1f… not-done the channel shows no such post")
  .action(settle);
cli.command(
  "flags <what> [key] [state] [...reason]",
  "list the feature flags, or set one on or off, with a reason, in your name",
)
  .option(...json)
  .example("npm run ags -- flags list")
  .example("npm run ags -- flags set new_cards on the desk agreed to try them")
  .action(flags);
cli.command("status <task>", "Where a task stands, by its id or its request's code").option(...json)
  .action(status);
cli.command("health", "How the platform stands, with the reasons").option(...json).action(health);
cli.command(
  "policy <what> [file]",
  "show the policy in force, or activate policies/policy.yaml or another file",
)
  .option(...json)
  .action(policy);
cli.command(
  "backup <file>",
  "The whole database into one file, running or not (pg_dump with DATABASE_URL)",
)
  .option("--force", "Replace the file")
  .action(backup);
cli.command(
  "restore <file>",
  "A backup into DATA_DIR, while nothing runs on it (pg_restore with DATABASE_URL)",
)
  .option("--force", "Also where there is a database; it is kept aside")
  .action(restore);
cli.help();

async function main(): Promise<number> {
  cli.parse(["deno", "ags", ...statementFirst(Deno.args)], { run: false });
  if (cli.options.help) return 0;
  if (!cli.matchedCommand) {
    if (Deno.args.length > 0) console.error(`There is no command "${Deno.args[0]}".`);
    cli.outputHelp();
    return Deno.args.length > 0 ? 1 : 0;
  }
  await cli.runMatchedCommand();
  return 0;
}

try {
  Deno.exit(await main());
} catch (error) {
  console.error(shownError(error));
  Deno.exit(1);
}

/** Postgres' own words for what it refused; a wrong use of the CLI in the CLI's. */
function shownError(error: unknown): string {
  if (error instanceof DatabaseError) return `${error.message} (${error.code})`;
  if (error instanceof Error && (error.name === "CACError" || isFromPostgres(error))) {
    return error.message;
  }
  return explain(error);
}

function isFromPostgres(error: Error): boolean {
  return "code" in error && /^[0-9A-Z]{5}$/.test(String(error.code)) || error.name === "Refusal";
}
