import { BotApi } from "../tests/support/bot-api.ts";
import { auditTrail, gather, sentByOutbox } from "./demo/evidence.ts";
import { narrator } from "./demo/narrate.ts";
import { openSnapshot } from "./stack/embedded.ts";
import { explain } from "./stack/sentence.ts";
import { startStack } from "./stack/stack.ts";

const channel = "-1001000000001";
const token = "demo-alert-token-of-tom";
const json = Deno.args.includes("--json");
const say = narrator(console.log, Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR"));

/** The demo sets everything itself; whatever the surroundings hold (TELEGRAM_*, DATABASE_URL) is not read. */
const settings = (api: BotApi): Record<string, string> => ({
  PORT: "0",
  INTAKE_TOKENS: `tom=${token}`,
  TELEGRAM_BOT_TOKEN: api.token,
  TELEGRAM_API_ROOT: api.root,
  TELEGRAM_CHAT_ID: channel,
});

async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<Awaited<T>>> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    const seen = await look();
    if (seen) return seen as NonNullable<Awaited<T>>;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Waited 20 seconds for ${what}, and it did not come.`);
}

interface Progress {
  steps: { node_id: string; status: string; agent: string }[];
}

async function main(): Promise<boolean> {
  const began = performance.now();
  const api = await BotApi.start();
  const dataDir = Deno.env.get("DATA_DIR")!;
  const values = settings(api);
  const log: string[] = [];
  const stack = await startStack({
    environment: (name) => values[name],
    dataDir,
    log: (line) => log.push(line),
    print: () => {},
  });
  try {
    say.title("Dynamic AGS: one alert, from the door to the archive");
    say.note(`Its own database, Bot API server and members, on a scratch directory (${Math.round(performance.now() - began)} ms).`);
    const members: [string, string, string][] = [["operator", "olga", "1001"], ["operator", "tom", "1003"], ["owner", "otto", "2002"]];
    for (const [role, name, telegram_user_id] of members) {
      await stack.store.administer("add_member", { p_member: { role, name, telegram_user_id }, p_actor: "demo" });
    }
    say.note("Operators olga and tom, owner otto. Tom's TradingView sends the alert, so tom is its requester.");

    say.title("The hops");
    const answer = await fetch(`${stack.url}/functions/v1/intake/tradingview/${token}`, {
      method: "POST",
      body: '{"ticker":"BTCUSDT","action":"buy","price":"67000","sl":66000,"tp":69500,"interval":"60"}',
    });
    const { task_id } = await answer.json();
    // The stack shares this process, so the request log and not this client's clock says how long the door took.
    const intakeMs = Number(log.map((line) => JSON.parse(line)).find((line) => line.function === "intake").ms);
    say.hop("intake", intakeMs, `HTTP ${answer.status}: BUY BTCUSDT at 67000 is ${task_id}`);
    await watch(stack.wiring.database, task_id, ["plan", "research", "retrieve", "act", "critic"]);
    const olga = api.person(1001);
    const tom = api.person(1003);
    const card = await until("the card on olga's phone", () => olga.reads.find((text) => text.includes(task_id)));
    const code = /T2-\d{8}-\d{4,}/.exec(card)![0];
    say.hop("approval", null, "two operators could decide; the card went to the one who did not ask:");
    say.quote(card);

    await tom.says(`/approve ${code} yes`);
    say.note(`tom:  /approve ${code} yes`);
    say.note(`bot:  ${await until("tom's refusal", () => tom.reads.find((text) => text.startsWith(code)))}`);
    say.note("olga: taps Approve, twice");
    await Promise.all([olga.taps("Approve"), olga.taps("Approve")]);
    const taps = await until("both answers", () => {
      const answers = api.called("answerCallbackQuery").map((call) => String(call.parameters.text ?? ""));
      return answers.length >= 2 && answers;
    });
    for (const text of taps) say.note(`bot:  ${text}`);
    await watch(stack.wiring.database, task_id, ["publish", "archive"]);
    await until("the outbox to be empty", async () => {
      const { open } = await stack.wiring.database.call<{ open: Record<string, number> }>("health");
      return open.notifications_queued === 0;
    });
    // The last edits are leased, then done: one more look once nothing is under way.
    await until("the edited card", () => olga.reads.some((text) => text.includes(code) && /approved|consumed/i.test(text)));

    const dump = await stack.store.snapshot("none");
    const pg = await openSnapshot(dump!);
    const evidence = await gather(pg, task_id, intakeMs);
    const sent = await sentByOutbox(pg);
    const trail = await auditTrail(pg, task_id);
    await pg.close();

    say.title(`Published to the channel, once (${api.received(channel).length} message)`);
    api.received(channel).forEach((text) => say.quote(text));
    say.title("The audit trail, by SQL as the auditor (steps left out)");
    say.table(trail.map((row) => [row.at, row.action, row.object, row.actor, row.code ?? ""]));
    say.title("Milliseconds per hop");
    say.table([evidence.hops.map(({ name }) => name), evidence.hops.map(({ ms }) => String(ms ?? "unknown"))]);

    const key = (chat: unknown, message: unknown) => `${chat}/${message}`;
    const claimed = sent.map((one) => key(one.chat_id, one.message_id)).sort();
    const received = api.chats.messages.map((one) => key(one.chat_id, one.message_id)).sort();
    const posts = sent.filter(({ text }) => text !== null).map(({ text }) => text);
    const equal = claimed.join() === received.join() && posts.join("\0") === api.received(channel).join("\0");
    say.note("");
    say.note(
      equal
        ? `The outbox says ${claimed.length} messages were sent; the Bot API server received the same ${received.length}.`
        : `NOT EQUAL: the outbox says ${claimed.length} messages were sent, the Bot API server received ${received.length}.`,
    );
    say.note(`${evidence.audit_rows} audit rows; the task is ${evidence.status}.`);
    if (json) console.log(JSON.stringify(evidence));
    return equal && evidence.status === "archived" && posts.length === 1;
  } finally {
    await stack.stop();
    await api.close();
  }
}

/** Prints each of these steps as it ends. */
async function watch(
  database: { call<T>(name: string, args?: Record<string, unknown>): Promise<T> },
  taskId: string,
  nodes: string[],
): Promise<void> {
  const seen = new Set<string>();
  await until(nodes.join(", "), async () => {
    const { steps } = await database.call<Progress>("task_status", { p_id: taskId });
    for (const { node_id, status: state, agent } of steps) {
      if (seen.has(node_id) || !nodes.includes(node_id) || state !== "done") continue;
      seen.add(node_id);
      say.hop(node_id, null, `${agent} is done`);
    }
    return seen.size === nodes.length;
  });
}

try {
  Deno.exit(await main() ? 0 : 1);
} catch (error) {
  console.error(explain(error));
  Deno.exit(1);
}
