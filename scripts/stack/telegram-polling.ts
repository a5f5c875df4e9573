import { z } from "zod";
import type { Database } from "../../functions/_database/database.ts";
import { parseExact, telegramId } from "../../functions/_domain/telegram-json.ts";

/** What the webhook understands; everything else stays with Telegram. */
export const allowedUpdates = [
  "message",
  "edited_message",
  "callback_query",
  "chat_join_request",
] as const;

const longPollSeconds = 25;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

export interface PollingDeps {
  api_root: string;
  token: string;
  /** The webhook's handler: polling and pushing enter by the same door. */
  webhook: (request: Request) => Promise<Response>;
  secret: string;
  database: Database;
  /** Sentences for whoever watches the terminal; never the token. */
  say: (sentence: string) => void;
  signal: AbortSignal;
  fetch?: typeof fetch;
  /** Waits; a test passes one that does not. */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  poll_seconds?: number;
}

const answer = z.object({
  ok: z.boolean(),
  result: z.unknown().optional(),
  error_code: z.number().optional(),
  description: z.string().optional(),
  parameters: z.object({ retry_after: z.number().optional() }).optional(),
});
// An update goes on as it came; only its id is read here.
const updateId = z.object({ update_id: telegramId });
const batch = z.array(
  z.unknown().transform((update, context) => {
    const { success, data } = updateId.safeParse(update);
    if (!success) context.addIssue("an update without an id");
    return { id: data?.update_id ?? "0", update };
  }),
);
type Update = z.infer<typeof batch>[number];

/** Something that waiting may mend; its message is shown. */
class Pause extends Error {
  constructor(message: string, readonly seconds?: number) {
    super(message);
  }
}

/** Where this bot's place in the queue is kept: by the bot's id, so that another bot starts at its own. */
const cursorName = (token: string): string => `telegram:${token.split(":")[0]}`;

const isAbort = (error: unknown, signal: AbortSignal): boolean =>
  signal.aborted && error instanceof Error;

async function call(
  deps: PollingDeps,
  method: string,
  parameters: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  let text: string;
  try {
    const response = await (deps.fetch ?? fetch)(`${deps.api_root}/bot${deps.token}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(parameters),
      signal,
    });
    text = await response.text();
  } catch (error) {
    if (isAbort(error, deps.signal)) throw error;
    // The error's own words hold the URL, and with it the token.
    throw new Pause("Telegram could not be reached");
  }
  const parsed = answer.safeParse(read(text));
  if (!parsed.success) throw new Pause("what answered was not Telegram");
  const { ok, result, error_code, description, parameters: more } = parsed.data;
  if (ok) return result;
  if (error_code === 401 || error_code === 404) {
    throw new Pause(
      "Telegram does not know this TELEGRAM_BOT_TOKEN: set the one BotFather printed",
    );
  }
  if (error_code === 409) {
    throw new Pause(
      "another process polls for this bot, or a webhook is set: stop that one, or set TELEGRAM_MODE=webhook",
    );
  }
  throw new Pause(`Telegram answered ${error_code}: ${description}`, more?.retry_after);
}

function read(text: string): unknown {
  try {
    return parseExact(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Runs an update through the webhook. False: it was not recorded and must come again. */
async function enter(deps: PollingDeps, { id, update }: Update): Promise<boolean> {
  const response = await deps.webhook(
    new Request("http://localhost/functions/v1/telegram-webhook", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-telegram-bot-api-secret-token": deps.secret,
      },
      body: JSON.stringify(update),
    }),
  );
  const body = read(await response.text());
  if (response.status >= 500 || response.status === 429) return false;
  if (!response.ok) {
    deps.say(`Update ${id} was refused by the webhook (${response.status}).`);
    return true;
  }
  // Telegram carries out a method that a webhook answers with; by polling that is ours to do.
  const { method, ...parameters } = Object(body) as Record<string, unknown>;
  if (method === "answerCallbackQuery") {
    try {
      await call(
        deps,
        method,
        parameters,
        AbortSignal.any([deps.signal, AbortSignal.timeout(10_000)]),
      );
    } catch (error) {
      // A button that spins a little longer; the decision itself is recorded.
      if (!(error instanceof Pause)) throw error;
      deps.say(`A button could not be answered: ${error.message}.`);
    }
  }
  return true;
}

async function pollOnce(deps: PollingDeps, offset: string | null): Promise<string | null> {
  const seconds = deps.poll_seconds ?? longPollSeconds;
  const result = await call(
    deps,
    "getUpdates",
    {
      ...(offset === null ? {} : { offset: Number(offset) }),
      timeout: seconds,
      allowed_updates: allowedUpdates,
    },
    AbortSignal.any([deps.signal, AbortSignal.timeout((seconds + 10) * 1000)]),
  );
  const updates = batch.safeParse(result);
  if (!updates.success) throw new Pause("Telegram's updates were not readable");
  let next = offset;
  for (const update of updates.data) {
    if (deps.signal.aborted) break;
    if (!await enter(deps, update)) {
      await keep(deps, offset, next);
      throw new Pause("the update could not be recorded yet");
    }
    next = String(BigInt(update.id) + 1n);
  }
  await keep(deps, offset, next);
  return next;
}

/** The place is kept after the updates are recorded: a crash in between repeats them, and repeats are recognised. */
async function keep(deps: PollingDeps, from: string | null, to: string | null): Promise<void> {
  if (to === null || to === from) return;
  await deps.database.call("telegram_cursor", { p_name: cursorName(deps.token), p_offset: to });
}

async function resume(deps: PollingDeps): Promise<string | null> {
  const { offset } = await deps.database.call<{ offset: string | number | null }>(
    "telegram_cursor",
    { p_name: cursorName(deps.token), p_offset: null },
  );
  return offset === null || Number(offset) === 0 ? null : String(offset);
}

/** Polls until the signal. Every trouble is waited out, longer each time, and said once per kind. */
export async function pollTelegram(deps: PollingDeps): Promise<void> {
  const pause = deps.pause ?? sleep;
  let offset = await resume(deps);
  let failures = 0;
  let said = "";
  while (!deps.signal.aborted) {
    try {
      offset = await pollOnce(deps, offset);
      if (failures > 0) deps.say("Telegram answers again.");
      failures = 0;
      said = "";
    } catch (error) {
      if (isAbort(error, deps.signal)) return;
      if (!(error instanceof Pause)) throw error;
      if (error.message !== said) deps.say(`Telegram polling waits: ${error.message}.`);
      said = error.message;
      offset = await resume(deps);
      const wait = error.seconds === undefined
        ? Math.min(firstPauseMs * 2 ** failures, longestPauseMs)
        : error.seconds * 1000;
      failures += 1;
      await pause(wait, deps.signal);
    }
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", wake);
  });
}
