import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BotApi } from "../support/bot-api.ts";
import { goodAlert, Stack } from "../support/stack.ts";

const channel = "-1009876543210";
const kills = Number(process.env.KILLS ?? 6);
let api: BotApi;
let stack: Stack;
beforeAll(async () => {
  api = await BotApi.start();
  stack = await Stack.start({
    TELEGRAM_BOT_TOKEN: api.token,
    TELEGRAM_API_ROOT: api.root,
    TELEGRAM_CHAT_ID: channel,
  });
  await stack.ags("members", "add", "--role", "operator", "--telegram", "1001", "--name", "olga");
}, 60_000);
afterAll(async () => {
  await stack?.remove();
  await api?.close();
});

describe("kill -9 right after 202", () => {
  it(
    `loses nothing and posts nothing twice, ${kills} times (KILLS=50 for the long run)`,
    async () => {
      const reads: string[] = [];
      const signals: string[] = [];
      for (let n = 0; n < kills; n++) {
        const read = await stack.ask("READ", `Read ${n}`, {
          text: `Note ${n}: the level held.`,
          summary: `Note ${n}`,
        });
        const signal = await stack.alert(goodAlert({ price: 60_000 + n, sl: 59_000, tp: 63_000 }));
        expect([read.status, signal.status]).toEqual([202, 202]);
        await stack.kill();
        reads.push((await read.json()).task_id);
        signals.push((await signal.json()).task_id);
        await stack.start();
      }
      const allArchived = async (ids: string[]) =>
        (await Promise.all(ids.map((id) => stack.status(id)))).every((status) =>
          status === "archived"
        );
      await Stack.until("every read to be archived", () => allArchived(reads), 60_000);
      for (const id of signals) {
        const card = await Stack.until(
          `the card of ${id}`,
          () => api.person(1001).reads.find((text) => text.includes(id)),
          60_000,
        );
        await api.person(1001).says(`/approve ${/T2-\d{8}-\d{4,}/.exec(card)![0]} yes`);
      }
      await Stack.until("every signal to be archived", () => allArchived(signals), 60_000);
      for (const id of signals) {
        expect([
          id,
          api.received(channel).filter((text) => text.includes(id)).length,
        ]).toEqual([id, 1]);
      }
    },
    60_000 + kills * 20_000,
  );
});

describe("stopping and starting", () => {
  it("drains on ctrl-C and goes on where it stopped", async () => {
    const { task_id } =
      await (await stack.alert(goodAlert({ price: 50_000, sl: 49_000, tp: 53_000 }))).json();
    const card = await Stack.until(
      "the card",
      () => api.person(1001).reads.find((text) => text.includes(task_id)),
    );
    expect(await stack.interrupt()).toBe(0);
    await stack.start();
    await api.person(1001).says(`/approve ${/T2-\d{8}-\d{4,}/.exec(card)![0]} yes`);
    await Stack.until(
      "the archive",
      async () => await stack.status(task_id) === "archived",
      30_000,
    );
  }, 60_000);

  it("answers each update once, also after a restart", async () => {
    // Other answers may still be on their way: an archive does not wait for the reply to the decision.
    const helps = () =>
      api.person(1001).reads.filter((text) => text.startsWith("/pending:")).length;
    expect(helps()).toBe(0);
    await api.person(1001).says("/help");
    await Stack.until("the help", () => helps() > 0);
    await stack.interrupt();
    await stack.start();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(helps()).toBe(1);
  }, 60_000);
});
