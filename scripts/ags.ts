import cac from "cac";
import { DatabaseError } from "../functions/_database/database.ts";
import { accounts } from "./ags/accounts.ts";
import { alerts } from "./ags/alerts.ts";
import { approve } from "./ags/approve.ts";
import { audit } from "./ags/audit.ts";
import { defaultSeconds } from "./ags/auditor.ts";
import { backup, restore } from "./ags/backup.ts";
import { breakers } from "./ags/breakers.ts";
import { deadLetters } from "./ags/dead-letters.ts";
import { defaultThreshold, evaluate } from "./ags/eval.ts";
import { consumers, pause, resume } from "./ags/consumers.ts";
import { flags } from "./ags/flags.ts";
import { guardrails } from "./ags/guardrails.ts";
import { health } from "./ags/health.ts";
import { members } from "./ags/members.ts";
import { orders } from "./ags/orders.ts";
import { policy } from "./ags/policy.ts";
import { statementFirst } from "./ags/question.ts";
import { replan } from "./ags/replan.ts";
import { rotations } from "./ags/rotations.ts";
import { runbook } from "./ags/runbook.ts";
import { say } from "./ags/say.ts";
import { settle } from "./ags/settle.ts";
import { defaultLimit, sql } from "./ags/sql.ts";
import { status } from "./ags/status.ts";
import { stop } from "./ags/stop.ts";
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
  .option("--public-key <key>", "verify-approvals: the only key that counts, in base64", {
    type: [String],
  })
  .option("--since <time>", "verify-approvals: leave out what was decided before", {
    type: [String],
  })
  .example("npm run ags -- audit stuck")
  .example("npm run ags -- audit verify-approvals --since 2027-05-01")
  .action(audit);
cli.command(
  "members <what> [who]",
  "add, list or remove who may decide, enroll or unenroll an authenticator; every owner is told",
)
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
  .example("npm run ags -- members enroll otto")
  .action(members);
cli.command(
  "approve <code> <decision> [...reason]",
  "Decide without a phone: embedded database, no bot token; yes or no",
)
  .option("--as <member>", "Whose decision it is", { type: [String] })
  .option("--otp <code>", "The code of their authenticator, for T3", { type: [String] })
  .option(...json)
  .example("npm run ags -- approve T2-20250928-0012 no too late --as otto")
  .action(approve);
cli.command(
  "say <...words>",
  "Any command of the bot without a phone, as a member: embedded database, no bot token",
)
  .option("--as <member>", "Whose words they are", { type: [String] })
  .option(...json)
  .example('npm run ags -- say "/t3 on otp:123456" --as otis')
  .action(say);
cli.command(
  "settle <effect> <outcome> [...reason]",
  "What became of an effect that nobody saw: done or not-done, in your name",
)
  .option(...json)
  .example("npm run ags -- settle 0b1f… not-done the channel shows no such post")
  .action(settle);
cli.command(
  "stop [...reason]",
  "No effect starts any more, without Telegram; `stop t3 <reason>` for those of tier T3 alone",
)
  .option(...json)
  .example("npm run ags -- stop the key may have leaked")
  .example("npm run ags -- stop t3 the broker answers nonsense")
  .action(stop);
cli.command(
  "replan <task> [...reason]",
  "Have the work of a task at its gate done anew; the same result keeps the answers",
)
  .option(...json)
  .example("npm run ags -- replan T-2025-09-28-0012 the source was corrected")
  .action(replan);
cli.command(
  "rotations <what> [name]",
  "list the secrets and when each is due, or record that one was changed",
)
  .option("--unused", "The variable is not set anywhere: nobody is reminded of it")
  .option(...json)
  .example("npm run ags -- rotations record LLM_API_KEY")
  .action(rotations);
cli.command(
  "alerts <what> [id] [...reason]",
  "list the open alerts, acknowledge one, or close it with a reason, in your name",
)
  .option(...json)
  .example("npm run ags -- alerts list")
  .example(
    "npm run ags -- alerts close 5b0a2c9e-7f31-4a5e-9d53-2f8f2f1f7a11 the broker corrected it",
  )
  .action(alerts);
cli.command(
  "breakers <what> [tool] [...reason]",
  "list the tools outside and whether they may be called; trip or reset one, in your name",
)
  .option(...json)
  .example("npm run ags -- breakers list")
  .example("npm run ags -- breakers trip quotes.read it answers yesterday's prices")
  .action(breakers);
cli.command(
  "dead-letters <what> [id] [...reason]",
  "list the steps that failed for good by trying; requeue one as a new task, or dismiss it",
)
  .option(...json)
  .example("npm run ags -- dead-letters list")
  .action(deadLetters);
cli.command(
  "flags <what> [key] [state] [...reason]",
  "list the feature flags, or set one on or off, with a reason, in your name",
)
  .option(...json)
  .example("npm run ags -- flags list")
  .example("npm run ags -- flags set new_cards on the desk agreed to try them")
  .action(flags);
cli.command(
  "consumers [what] [name]",
  "list who reads the events and how far each is behind; add a reader, or rewind one",
)
  .option("--from <where>", "add: beginning, now (the default) or a position", { type: [String] })
  .option("--to <position>", "rewind: to a position", { type: [String] })
  .option("--back <events>", "rewind: by so many events")
  .option(...json)
  .example("npm run ags -- consumers")
  .example("npm run ags -- consumers add ledger --from beginning")
  .action(consumers);
cli.command("pause <consumer>", "Hand a consumer nothing more until it is resumed, in your name")
  .option("--reason <words>", "Why", { type: [String] })
  .option(...json)
  .example('npm run ags -- pause communicator --reason "the channel is being moved"')
  .action(pause);
cli.command("resume <consumer>", "Let a paused consumer go on where it stood, in your name")
  .option("--reason <words>", "Why", { type: [String] })
  .option(...json)
  .example("npm run ags -- resume communicator")
  .action(resume);
cli.command(
  "runbook <name>",
  "desync, tool-failure or memory-drift: step by step, every change asked for and on record",
)
  .option("--dry-run", "Show what would be done; nothing is written")
  .option("--yes", "Every change is agreed to; without a terminal the only way")
  .option("--task <task>", "desync, memory-drift: this task alone", { type: [String] })
  .option("--tool <tool>", "tool-failure: which tool", { type: [String] })
  .option("--watch <seconds>", "How long to look at the figures afterwards (30)")
  .example("npm run ags -- runbook desync --dry-run")
  .example("npm run ags -- runbook tool-failure --tool quotes.read")
  .action(runbook);
cli.command("chaos <case>", "Make trouble on a database of its own and see it recovered from")
  .option("--yes", "Put the run on record without asking")
  .option(...json)
  .example("npm run ags -- chaos tool-down --yes")
  .action(async (name, options) => await (await import("./ags/chaos.ts")).chaos(name, options));
cli.command(
  "accounts <what> [id] [...reason]",
  "list or open trading accounts, set their limits, suspend or activate one; every owner is told",
)
  .option("--channel <channel>", "paper (the default) or http-bridge")
  .option("--currency <currency>", "What its symbols are priced in, such as USDT")
  .option("--balance <amount>", "What it begins with", { type: [String] })
  .option("--max-positions <count>", "Fewer than the policy allows", { type: [String] })
  .option("--max-order-size <amount>", "In the account's currency", { type: [String] })
  .option("--max-drawdown-pct <percent>", "Less than the policy allows", { type: [String] })
  .option("--daily-loss-cap <amount>", "In the account's currency", { type: [String] })
  .option(...json)
  .example("npm run ags -- accounts open paper-1 --currency USDT --balance 10000")
  .example("npm run ags -- accounts limits paper-1 --max-positions 2")
  .action(accounts);
cli.command(
  "orders <what> [id] [...words]",
  "create or list payment orders, check a buyer (KYC), or override the cap by an owner's word",
)
  .option("--buyer <id>", "Numeric Telegram id of who pays", { type: [String] })
  .option("--plan <plan>", "A plan of the policy", { type: [String] })
  .option("--as <owner>", "Whose word lifts the cap", { type: [String] })
  .option(...json)
  .example("npm run ags -- orders check 880001 identity passed seen in person")
  .example("npm run ags -- orders create --buyer 880001 --plan vip-30")
  .example(
    "npm run ags -- orders override abcdefghijklmnopqrstuvwxyz 750 known for years --as olga",
  )
  .action(orders);
cli.command("status <task>", "Where a task stands, by its id or its request's code").option(...json)
  .action(status);
cli.command("health", "How the platform stands, with the reasons").option(...json).action(health);
cli.command(
  "policy <what> [file]",
  "show and status; check or replay a file before anybody lives with it; propose it; activate the first one",
)
  .option("--roster <people>", "check: who there will be, instead of the members there are")
  .option("--head <file>", "replay: the new policy")
  .option("--since <when>", "replay: only decisions since 90d, 12h or 2026-01-31")
  .option("--fail-on <ways>", "replay: exit 1 on loosened, tightened, not_reproduced")
  .option("--as <member>", "propose: who asks, and so will not approve", { type: [String] })
  .option(...json)
  .example("npm run ags -- policy check policies/policy.yaml --roster owner=1,operator=1")
  .example("npm run ags -- policy replay --head new.yaml --since 90d --fail-on loosened")
  .example("npm run ags -- policy propose new.yaml --as rita")
  .action(policy);
cli.command("guardrails", "The injection filter on its corpus: recall and false alarms")
  .option(...json).action(guardrails);
cli.command("eval", "Agents and critic on the gold sets; below the threshold is exit code 1")
  .option(
    "--threshold <percent>",
    `Least share of cases that must come out right (${defaultThreshold})`,
  )
  .option(...json).action(evaluate);
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
