import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BotApi } from "../support/bot-api.ts";
import { codeNow, enroll, type Seed } from "../support/enrolling.ts";
import { Exchange } from "../support/quotes.ts";
import { goodAlert, Stack } from "../support/stack.ts";

const channel = "-1001234567890";
const codeOn = (card: string) => /T[23]-\d{8}-\d{4,}/.exec(card)?.[0];

let api: BotApi;
let exchange: Exchange;
let stack: Stack;
const seeds: Record<string, Seed> = {};
beforeAll(async () => {
  [api, exchange] = await Promise.all([BotApi.start(), Exchange.start({ BTCUSDT: "67000" })]);
  stack = await Stack.start({
    QUOTE_URL: exchange.url,
    TELEGRAM_BOT_TOKEN: api.token,
    TELEGRAM_API_ROOT: api.root,
    TELEGRAM_CHAT_ID: channel,
  });
  for (
    const [role, id, name] of [["operator", "1001", "olga"], ["owner", "2002", "otto"], [
      "operator",
      "1003",
      "desk",
    ]]
  ) {
    expect(
      (await stack.ags("members", "add", "--role", role, "--telegram", id, "--name", name)).code,
    ).toBe(0);
  }
  for (const name of ["olga", "otto"]) {
    await enroll(stack, name, (seed) => {
      seeds[name] = seed;
      return [codeNow(seed, -1)];
    });
  }
  await stack.ags("accounts", "open", "paper-1", "--currency", "USDT", "--balance", "10000");
}, 180_000);
afterAll(async () => {
  await stack?.remove();
  await api?.close();
  await exchange?.close();
});

const taskStatus = (taskId: string) => stack.status(taskId);

/** The card of a task on somebody's phone. */
const cardFor = (taskId: string, person: number | string) =>
  Stack.until(
    `a card for ${taskId}`,
    () => api.person(person).reads.find((text) => text.includes(taskId) && codeOn(text)),
  );

describe("a signal by long polling", () => {
  it(
    "goes from the alert to the channel after one operator's button, and is archived",
    async () => {
      const answer = await stack.alert(goodAlert({ time: "bar 1" }));
      expect(answer.status).toBe(202);
      const { task_id, duplicate } = await answer.json();
      expect(duplicate).toBe(false);
      await cardFor(task_id, 1001);
      await api.person(1001).taps("Approve");
      const posted = await Stack.until(
        "the post",
        () => api.received(channel).find((text) => text.includes(task_id)),
      );
      expect(posted).toContain("67000");
      await Stack.until("the archive", async () => await taskStatus(task_id) === "archived");
      // The card says what became of it; a second tap changes nothing.
      await Stack.until(
        "the edited card",
        () =>
          api.person(1001).reads.some((text) =>
            text.includes(task_id) && /approved|consumed/i.test(text)
          ),
      );
      expect(api.received(channel).filter((text) => text.includes(task_id))).toHaveLength(1);
    },
    60_000,
  );

  it("cites the archived idea of the same symbol on the next card, with its distance", async () => {
    const { task_id } = await (await stack.alert(goodAlert({ price: 67100, time: "bar 2" })))
      .json();
    const card = await cardFor(task_id, 1001);
    expect(card).toMatch(/distance/i);
    await api.person(1001).says(`/approve ${codeOn(card)} no seen enough`);
    await Stack.until("the rejection", async () => await taskStatus(task_id) === "rejected");
    expect(api.received(channel).filter((text) => text.includes(task_id))).toHaveLength(0);
  }, 60_000);

  it(
    "refuses a stranger, the requester, a reviewer's role and a look-alike command, and each is told or ignored",
    async () => {
      const { task_id } = await (await stack.alert(goodAlert({ price: 67200, time: "bar 3" })))
        .json();
      const code = codeOn(await cardFor(task_id, 1001))!;
      await api.person(4004).says(`/approve ${code} yes`);
      await api.person(2002).says(`/approve ${code} yes`);
      await api.person(1003).says(`/approve ${code} yes`);
      await api.person(1001).says(`/аpprove ${code} yes`); // Cyrillic а
      await api.person(4004).says("/start");
      await Stack.until(
        "the owner's answer",
        () => api.person(2002).reads.some((text) => text.includes(code)),
      );
      await Stack.until(
        "the requester's answer",
        () => api.person(1003).reads.some((text) => text.includes(code) && /asked/i.test(text)),
      );
      expect(await Stack.until("the stranger's id", () => api.person(4004).reads.at(-1))).toBe(
        "4004",
      );
      expect(await taskStatus(task_id)).toBe("awaiting_approval");
      const refused = await stack.sql<{ code: string }>(
        "select distinct code from public.telegram_updates where code is not null order by code",
      );
      expect(refused.map((row) => row.code)).toEqual(
        expect.arrayContaining(["not_a_member", "self_approval", "wrong_role"]),
      );
      await api.person(1001).says(`/approve ${code} no`);
    },
    60_000,
  );

  it("keeps a double tap from deciding twice", async () => {
    const { task_id } = await (await stack.alert(goodAlert({ price: 67300, time: "bar 4" })))
      .json();
    await cardFor(task_id, 1001);
    const phone = api.person(1001);
    await Promise.all([phone.taps("Approve"), phone.taps("Approve")]);
    await Stack.until("the archive", async () => await taskStatus(task_id) === "archived");
    const decisions = await stack.sql(
      `select 1 from public.approvals where task_id = '${task_id}'`,
    );
    expect(decisions).toHaveLength(1);
    expect(api.received(channel).filter((text) => text.includes(task_id))).toHaveLength(1);
  }, 60_000);

  it("waits while Telegram is away, posts once when it is back, and goes on polling", async () => {
    const { task_id } = await (await stack.alert(goodAlert({ price: 67400, time: "bar 5" })))
      .json();
    await cardFor(task_id, 1001);
    api.misbehaves("sendMessage", { as: "too_many_requests", retry_after: 1 }, {
      chat_id: channel,
    });
    await api.person(1001).taps("Approve");
    await Stack.until(
      "the post after 429",
      () => api.received(channel).some((text) => text.includes(task_id)),
      20_000,
    );
    await api.refuseConnections();
    const next = await (await stack.alert(goodAlert({ price: 67500, time: "bar 6" }))).json();
    await Stack.until(
      "the gate",
      async () => await taskStatus(next.task_id) === "awaiting_approval",
    );
    await api.open();
    const card = await Stack.until(
      "the card",
      () => api.person(1001).reads.find((text) => text.includes(next.task_id)),
      30_000,
    );
    await api.person(1001).says(`/approve ${codeOn(card)} yes`);
    await Stack.until(
      "the archive",
      async () => await taskStatus(next.task_id) === "archived",
      40_000,
    );
    expect(api.received(channel).filter((text) => text.includes(next.task_id))).toHaveLength(1);
  }, 120_000);

  it("never repeats a post whose answer was not seen, and lets a person settle it", async () => {
    const { task_id } = await (await stack.alert(goodAlert({ price: 67600, time: "bar 8" })))
      .json();
    await cardFor(task_id, 1001);
    api.misbehaves("sendMessage", { as: "bad_gateway" }, { chat_id: channel });
    const before = api.called("sendMessage").filter((call) =>
      String(call.parameters.chat_id) === channel
    ).length;
    await api.person(1001).taps("Approve");
    await Stack.until("the pause", async () => await taskStatus(task_id) === "paused");
    await Stack.until(
      "the question to the people",
      () => api.person(2002).reads.some((text) => text.includes(task_id)),
    );
    const unknown = await stack.sql<{ effect_id: string }>(
      `select effect_id from public.effects where task_id = '${task_id}' and status = 'unknown'`,
    );
    expect(unknown).toHaveLength(1);
    expect((await stack.ags("settle", unknown[0].effect_id, "maybe")).code).toBe(1);
    const settled = await stack.ags(
      "settle",
      unknown[0].effect_id,
      "not-done",
      "the",
      "channel",
      "shows",
      "nothing",
    );
    expect([settled.code, settled.out]).toEqual([0, expect.stringContaining("failed")]);
    expect(await taskStatus(task_id)).toBe("failed");
    expect(
      api.called("sendMessage").filter((call) => String(call.parameters.chat_id) === channel)
        .length,
    ).toBe(before + 1);
  }, 60_000);

  it(
    "asks two distinct people for T3, takes a code from each, deletes the code, and holds what they approved",
    async () => {
      const { task_id } = await (await stack.ask("TRADE", "Buy a little", {
        account_id: "paper-1",
        symbol: "BTCUSDT",
        side: "long",
        type: "market",
        quantity: "0.01",
        stop_loss: "66000",
        take_profit: "69500",
      })).json();
      const code = codeOn(await cardFor(task_id, 1001))!;
      const [olga, otto] = [api.person(1001), api.person(2002)];
      await olga.taps("Approve");
      await Stack.until(
        "how to give a code",
        () => olga.reads.some((text) => text.includes("otp:")),
      );
      const typed = `/approve ${code} yes otp:${codeNow(seeds.olga)}`;
      await olga.says(typed);
      await olga.says(`/approve ${code} yes otp:${codeNow(seeds.olga, 1)}`);
      await Stack.until(
        "the refusal of the second answer",
        () => olga.reads.some((text) => text.startsWith(code) && /on record|decided/i.test(text)),
      );
      await Stack.until("the deleted messages", () => api.chats.removed.length === 2);
      expect(await taskStatus(task_id)).toBe("awaiting_approval");
      await otto.says(`/approve ${code} yes otp:${codeNow(seeds.otto)}`);
      await Stack.until("the hold", async () => await taskStatus(task_id) === "pending_exec");
      expect(await stack.sql(`select 1 from public.effects where task_id = '${task_id}'`)).toEqual(
        [],
      );
      const kept = await stack.sql("select intent, receipt from telegram_updates");
      expect(JSON.stringify(kept)).not.toContain(typed.slice(-6));
    },
    120_000,
  );

  it("rejects a signal whose stop loss is on the wrong side, without asking anybody", async () => {
    const { task_id } = await (await stack.alert(goodAlert({ sl: 68000, time: "bar 7" }))).json();
    await Stack.until("the rejection", async () => await taskStatus(task_id) === "rejected");
    expect(api.person(1001).reads.some((text) => text.includes(task_id) && codeOn(text))).toBe(
      false,
    );
  }, 60_000);

  it(
    "ends an entry without a usable price as rejected for insufficient data, and says so",
    async () => {
      const { task_id } = await (await stack.alert("BUY BTCUSDT")).json();
      await Stack.until(
        "the message",
        () => api.person(1001).reads.some((text) => text.includes(task_id)),
      );
      expect(
        await stack.sql(`select status, reason from public.tasks where task_id = '${task_id}'`),
      )
        .toEqual([{ status: "rejected", reason: "insufficient_data" }]);
    },
    60_000,
  );
});
