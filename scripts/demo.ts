import { BotApi } from "../tests/support/bot-api.ts";
import { auditTrail, type Evidence, gather, type Sent, sentByOutbox } from "./demo/evidence.ts";
import { narrator } from "./demo/narrate.ts";
import { until, watchSteps } from "./demo/watch.ts";
import { openSnapshot } from "./stack/embedded.ts";
import { explain } from "./stack/sentence.ts";
import { type Stack, startStack } from "./stack/stack.ts";

const channel = "-1001000000001";
const token = "demo-alert-token-of-tom";
const alert =
  '{"ticker":"BTCUSDT","action":"buy","price":"67000","sl":66000,"tp":69500,"interval":"60"}';
const members = [["operator", "olga", "1001"], ["operator", "tom", "1003"], [
  "owner",
  "otto",
  "2002",
]];

const json = Deno.args.includes("--json");
const coloured = !json && Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
// With --json stdout holds the object alone.
const say = narrator(json ? console.error : console.log, coloured);

/** What each hop does, for whoever sees it for the first time. */
const hops: Record<string, string> = {
  plan: "copied the policy's flow, eight nodes",
  research: "quoted the facts that the alert states",
  retrieve: "searched archived ideas on BTCUSDT by vector distance",
  act: "wrote the idea; every figure says where it comes from",
  critic: "marked the stored artifact against the rubric",
  publish: "reserved, sent and confirmed the post",
  archive: "froze the task and remembered its idea for the next signal",
};

const shownOfCard = /^(What|Entry|Stop loss|Take profit|Critic|Similar ideas|Must approve|Expires)/;

async function line(stack: Stack, api: BotApi, log: string[]): Promise<[string, number]> {
  const { database } = stack.wiring;
  const ended = (node: string, agent: string) => say.hop(node, `${agent} ${hops[node]}`);

  say.title("The hops, as they happen");
  const response = await fetch(`${stack.url}/functions/v1/intake/tradingview/${token}`, {
    method: "POST",
    body: alert,
  });
  const { task_id } = await response.json();
  say.hop(
    "intake",
    `HTTP ${response.status}: BUY BTCUSDT at 67000 is stored as ${task_id}`,
  );
  await watchSteps(database, task_id, ["plan", "research", "retrieve", "act", "critic"], ended);

  const olga = api.person(1001);
  const tom = api.person(1003);
  const card = await until(
    "the card",
    () => olga.reads.find((text) => text.includes(task_id)) ?? null,
  );
  const [code] = /T2-\d{8}-\d{4,}/.exec(card)!;
  say.hop("approval", `${code} goes to the operator who did not ask for it:`);
  say.quote(card.split("\n").filter((text) => shownOfCard.test(text)));
  say.said("tom", `/approve ${code} yes`);
  await tom.says(`/approve ${code} yes`);
  say.said(
    "bot",
    await until("tom's refusal", () => tom.reads.find((text) => text.startsWith(code)) ?? null),
  );
  say.said("olga", "[Approve] [Approve]  (a double tap)");
  await Promise.all([olga.taps("Approve"), olga.taps("Approve")]);
  const answers = await until("both answers", () => {
    const calls = api.called("answerCallbackQuery");
    return calls.length >= 2 ? calls.map(({ parameters }) => String(parameters.text)) : null;
  });
  for (const text of answers) say.said("bot", text);

  await watchSteps(database, task_id, ["publish", "archive"], ended);
  await until("an empty outbox", async () => {
    const { open } = await database.call<{ open: Record<string, number> }>("health");
    const edited = olga.reads.some((text) =>
      text.includes(code) && !text.includes("needs a decision")
    );
    return open.notifications_queued === 0 && edited ? true : null;
  });
  // The stack shares this process: its own log says how long the door took, not this client's clock.
  const request = log.map((text) => JSON.parse(text)).find((entry) => entry.function === "intake");
  return [task_id, Number(request.ms)];
}

/** Each message that the outbox says was sent, and each that the Bot API server received: the same ones, the same posts. */
function isEqual(sent: Sent[], api: BotApi): boolean {
  const key = (one: { chat_id: string; message_id: string | number }) =>
    `${one.chat_id}/${one.message_id}`;
  const posts = sent.map(({ text }) => text).filter((text) => text !== null);
  return sent.map(key).sort().join() === api.chats.messages.map(key).sort().join() &&
    posts.join("\0") === api.received(channel).join("\0");
}

function conclude(evidence: Evidence, sent: Sent[], api: BotApi): boolean {
  const received = api.chats.messages.length;
  const equal = isEqual(sent, api);
  say.title("Milliseconds of each hop; approval is from the card to the decision");
  say.table([
    evidence.hops.map(({ name }) => name),
    evidence.hops.map(({ ms }) => String(ms ?? "unknown")),
  ]);
  say.note(
    equal
      ? `The outbox says ${sent.length} messages were sent, and the Bot API server received these ${received}.`
      : `NOT EQUAL: the outbox says ${sent.length} messages were sent, the Bot API server received ${received}.`,
  );
  say.note(`The task is ${evidence.status}; ${evidence.audit_rows} audit rows tell how.`);
  if (json) console.log(JSON.stringify(evidence));
  return equal && evidence.status === "archived";
}

async function main(): Promise<boolean> {
  const began = performance.now();
  const api = await BotApi.start();
  const log: string[] = [];
  // The demo sets everything itself; whatever the surroundings hold (TELEGRAM_*, DATABASE_URL) is not read.
  const values: Record<string, string> = {
    PORT: "0",
    INTAKE_TOKENS: `tom=${token}`,
    TELEGRAM_BOT_TOKEN: api.token,
    TELEGRAM_API_ROOT: api.root,
    TELEGRAM_CHAT_ID: channel,
  };
  const stack = await startStack({
    servesPages: false,
    environment: (name) => values[name],
    dataDir: Deno.env.get("DATA_DIR")!,
    log: (text) => log.push(text),
    print: () => {},
  });
  try {
    for (const [role, name, telegram_user_id] of members) {
      await stack.store.administer("add_member", {
        p_member: { role, name, telegram_user_id },
        p_actor: "demo",
      });
    }
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    say.title("Dynamic AGS: one TradingView alert, from the door to the archive");
    say.note(
      `A stack of its own, ready in ${seconds} s. Nothing leaves this machine.`,
    );
    say.note("Operators olga and tom, owner otto. It is tom's TradingView that sends the alert.");
    const [task_id, intake_ms] = await line(stack, api, log);

    const dump = await stack.store.snapshot("none");
    const pg = await openSnapshot(dump!);
    const evidence = await gather(pg, task_id, intake_ms);
    const sent = await sentByOutbox(pg);
    const trail = await auditTrail(pg, task_id);
    await pg.close();

    say.title("Published in the channel");
    api.received(channel).forEach((text) => say.quote(text.split("\n")));
    say.title("The audit trail, by SQL as the auditor");
    say.table(
      trail.map((
        { at, actor, action, objects, code },
      ) => [at, actor, action, code === null ? objects : `refused: ${code}`]),
    );
    return conclude(evidence, sent, api);
  } finally {
    await stack.stop();
    await api.close();
  }
}

try {
  Deno.exit(await main() ? 0 : 1);
} catch (error) {
  console.error(explain(error));
  Deno.exit(1);
}
