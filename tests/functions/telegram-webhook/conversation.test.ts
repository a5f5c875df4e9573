import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { consoleChannel } from "../../../functions/_channels/console.ts";
import { telegramChannel } from "../../../functions/_channels/telegram.ts";
import { deliverNotifications } from "../../../functions/communicator/notifications.ts";
import { createSigner } from "../../../functions/_edge/signing.ts";
import { handle } from "../../../functions/telegram-webhook/handler.ts";
import { BotApi } from "../../support/bot-api.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";

// Persons talk to the bot over HTTP, the webhook writes into a real database, the outbox answers over HTTP.
let api: BotApi;
let store: TestDatabase;
const seen: Request[] = [];
const secret = "hook-secret";

beforeAll(async () => {
  [api, store] = await Promise.all([BotApi.start(), openTestDatabase()]);
});
afterAll(async () => {
  await api.close();
  await store.close();
});

async function arrives(update: Record<string, unknown>): Promise<Record<string, unknown>> {
  const request = new Request("http://localhost/telegram-webhook", {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": secret },
    body: JSON.stringify(update),
  });
  seen.push(request);
  const response = await handle(request, {
    database: store.database,
    secret,
    username: () => Promise.resolve(api.username),
    channel: "telegram",
    policy_sha256: null,
    signer: createSigner(btoa("s".repeat(32))),
    seeds: null,
    vip_chat_id: null,
    now: () => new Date(),
  });
  expect(response.status).toBe(200);
  await deliverNotifications({
    database: store.database,
    channels: {
      telegram: telegramChannel({ token: api.token, api_root: api.root }),
      console: consoleChannel(() => {}),
    },
    membership: null,
    worker: "communicator-1",
    now: () => new Date(),
  }, () => true);
  return await response.json();
}

let next = 1;
const says = (id: number, text: string, more: Record<string, unknown> = {}) =>
  arrives({ update_id: next++, message: api.person(id).message(text, more) });
const lastRead = (id: number) => api.person(id).reads.at(-1);

describe("a conversation with the bot", () => {
  it("gives a stranger the numeric id for /start, and for nothing else", async () => {
    for (
      const text of [
        "hello",
        "/help",
        "/pending",
        "/approve T2-20250928-0012 yes",
        "/status T-2025-09-28-0001",
      ]
    ) {
      await says(5, text);
    }
    expect(api.person(5).reads).toEqual([]);
    await says(5, "/start");
    await says(5, "/start wrong-code");
    expect(api.person(5).reads).toEqual(["5", "5"]);
  });

  it("writes nothing down of what a stranger wrote", async () => {
    await says(6, "my number is +49 30 1234567");
    const rows = await store.owner(
      "select to_jsonb(u)::text as row from public.telegram_updates u",
    );
    expect(JSON.stringify(rows)).not.toMatch(/1234567|my number|wrong-code/);
  });

  it("keeps every refusal on record", async () => {
    await says(6, "/approve T2-20250928-0012 yes", {
      forward_origin: { type: "hidden_user", sender_user_name: "x", date: 1 },
    });
    const [{ code }] = await store.owner<{ code: string }>(
      "select code from public.telegram_updates order by update_id::bigint desc limit 1",
    );
    expect(code).toBe("sender_not_personal");
  });

  it("answers the same update once, however often it comes", async () => {
    const update = { update_id: next++, message: api.person(7).message("/start") };
    expect(await arrives(update)).toEqual({ outcome: "recorded" });
    expect(await arrives(update)).toEqual({ outcome: "duplicate" });
    expect(api.person(7).reads).toEqual(["7"]);
  });

  it("talks to a member: help, usage, an empty list, an unknown id", async () => {
    await store.as("administrator", "select api.add_member($1, 'test')", [
      JSON.stringify({ role: "operator", name: "ola", telegram_user_id: "8" }),
    ]);
    await says(8, "/help");
    expect(lastRead(8)).toContain("/pending: what waits for a decision");
    await says(8, "/approve T2-20250928-0012 maybe");
    expect(lastRead(8)).toMatch(/^Write: \/approve/);
    await says(8, "/pending");
    expect(lastRead(8)).toBe("Nothing waits for a decision.");
    await says(8, "/status T-2025-09-28-0099");
    expect(lastRead(8)).toBe(
      "T-2025-09-28-0099: There is no such object. Compare the id, or send /pending.",
    );
    await says(8, "/approve T2-20250928-0012 yes");
    expect(lastRead(8)).toContain("There is no request with this code.");
    await says(8, "/start");
    expect(lastRead(8)).toBe("You are operator as ola. Send /help.");
  });

  it("marks a member as unreachable who blocked the bot, and forgets it once a message arrives", async () => {
    const unreachable = () =>
      store.owner("select name from public.members where unreachable_since is not null");
    api.person(8).blocks();
    await says(8, "/help");
    expect(await unreachable()).toEqual([{ name: "ola" }]);
    api.person(8).unblocks();
    await says(8, "/help");
    expect(await unreachable()).toEqual([]);
  });
});
