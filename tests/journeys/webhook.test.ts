import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BotApi } from "../support/bot-api.ts";
import { goodAlert, Stack } from "../support/stack.ts";

const channel = "-1005550001111";
let api: BotApi;
let stack: Stack;
beforeAll(async () => {
  api = await BotApi.start();
  stack = await Stack.start({
    TELEGRAM_BOT_TOKEN: api.token,
    TELEGRAM_API_ROOT: api.root,
    TELEGRAM_CHAT_ID: channel,
    TELEGRAM_MODE: "webhook",
  });
  await stack.ags("members", "add", "--role", "operator", "--telegram", "1001", "--name", "olga");
  api.updates.webhook = {
    url: `${stack.url}/telegram-webhook`,
    secret_token: stack.env.TELEGRAM_WEBHOOK_SECRET,
    allowed_updates: undefined,
  };
}, 60_000);
afterAll(async () => {
  await stack?.remove();
  await api?.close();
});

const cardOf = (taskId: string) =>
  Stack.until(
    `the card of ${taskId}`,
    () => api.person(1001).reads.find((text) => text.includes(taskId) && text.includes("T2-")),
  );

describe("by webhook", () => {
  it("takes a signal from the alert to the archive, and never asks for updates", async () => {
    const { task_id } = await (await stack.alert(goodAlert({ time: "bar 1" }))).json();
    await cardOf(task_id);
    await api.person(1001).taps("Approve");
    await Stack.until("the archive", async () => await stack.status(task_id) === "archived");
    expect(api.received(channel).filter((text) => text.includes(task_id))).toHaveLength(1);
    expect(api.called("getUpdates")).toEqual([]);
    // The button stops spinning without a call of its own.
    expect(api.called("answerCallbackQuery").every((call) => call.inWebhookReply)).toBe(true);
  }, 60_000);

  it("decides once when Telegram delivers an update twice, and out of order", async () => {
    const { task_id } = await (await stack.alert(goodAlert({ price: 67100, time: "bar 2" })))
      .json();
    const code = /T2-\d{8}-\d{4,}/.exec(await cardOf(task_id))![0];
    const message = api.person(1001).message(`/approve ${code} yes`);
    const post = (update_id: number) =>
      stack.post("/telegram-webhook", { update_id, message }, {
        "x-telegram-bot-api-secret-token": stack.env.TELEGRAM_WEBHOOK_SECRET,
      });
    const answers = [await post(9_000_002), await post(9_000_002), await post(9_000_001)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await answers[1].json()).outcome).toBe("duplicate");
    await Stack.until("the archive", async () => await stack.status(task_id) === "archived");
    expect(await stack.sql(`select 1 from public.approvals where task_id = '${task_id}'`))
      .toHaveLength(1);
    expect(api.received(channel).filter((text) => text.includes(task_id))).toHaveLength(1);
  }, 60_000);
});

describe("a request that nobody answers", () => {
  it("expires as a no, says so on the card, and refuses the late yes", async () => {
    const { task_id } = await (await stack.alert(goodAlert({ price: 67200, time: "bar 3" })))
      .json();
    const code = /T2-\d{8}-\d{4,}/.exec(await cardOf(task_id))![0];
    await Stack.until("the card to be on record", async () =>
      (await stack.sql(
        `select 1 from public.notifications where task_id = '${task_id}' and status = 'sent'`,
      )).length > 0);
    await stack.interrupt();
    // The fifteen minutes of a signal, without waiting for them.
    const pg = await PGlite.create(join(stack.dataDir, "db"), { extensions: { vector } });
    await pg.query(
      "update public.approval_requests set expires_at = now() - interval '1 second' where code = $1",
      [code],
    );
    await pg.close();
    await stack.start();
    await Stack.until("the rejection", async () => await stack.status(task_id) === "rejected");
    await Stack.until(
      "the edited card",
      () => api.person(1001).reads.some((text) => text.includes(code) && /expired/i.test(text)),
    );
    await api.person(1001).says(`/approve ${code} yes`);
    await Stack.until(
      "the refusal",
      () =>
        api.person(1001).reads.some((text) => text.startsWith(`${code}: The request has expired`)),
    );
    expect(api.received(channel).some((text) => text.includes(task_id))).toBe(false);
  }, 60_000);
});
