import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../../functions/_database/database.ts";
import { type PollingDeps, pollTelegram } from "../../../scripts/stack/telegram-polling.ts";
import { BotApi } from "../../support/bot-api.ts";

let api: BotApi;
let stop: AbortController;
let running: Promise<void>[];
beforeEach(async () => {
  api = await BotApi.start();
  stop = new AbortController();
  running = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(running);
  await api.close();
});

/** A place in the queue that survives, a webhook that keeps what it got, and pauses that last no time. */
function poller(more: Partial<PollingDeps> = {}, places = new Map<string, string>()) {
  const got: {
    secret: string | null;
    update: { update_id: number; message?: { text: string } };
  }[] = [];
  const said: string[] = [];
  const pauses: number[] = [];
  const database: Database = {
    call: <T>(_name: string, args: Record<string, unknown> = {}) => {
      const name = String(args.p_name);
      if (args.p_offset !== null) places.set(name, String(args.p_offset));
      return Promise.resolve({ offset: places.get(name) ?? null } as T);
    },
    close: () => Promise.resolve(),
  };
  const deps: PollingDeps = {
    api_root: api.root,
    token: api.token,
    secret: "hook-secret",
    database,
    say: (sentence) => said.push(sentence),
    signal: stop.signal,
    poll_seconds: 1,
    pause: (ms) => {
      pauses.push(ms);
      return new Promise((resolve) => setTimeout(resolve, 1));
    },
    webhook: async (request) => {
      got.push({
        secret: request.headers.get("x-telegram-bot-api-secret-token"),
        update: await request.json(),
      });
      return Response.json({ outcome: "recorded" });
    },
    ...more,
  };
  const start = () => {
    const run = pollTelegram(deps);
    running.push(run);
    return run;
  };
  return {
    got,
    said,
    pauses,
    places,
    start,
    texts: () => got.map(({ update }) => update.message?.text),
  };
}

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error("it did not happen within 5 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("long polling", () => {
  it("waits longer each time while Telegram cannot be reached, says so once and without the token", async () => {
    await api.refuseConnections();
    const poll = poller();
    poll.start();
    await until(() => poll.pauses.length >= 8);
    expect(poll.pauses.slice(0, 8)).toEqual([1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]);
    expect(poll.said).toEqual(["Telegram polling waits: Telegram could not be reached."]);
    await api.open();
    await until(() => poll.said.length === 2);
    expect(poll.said[1]).toBe("Telegram answers again.");
  });

  it.each(
    [
      [{ as: "conflict" }, "another process polls for this bot"],
      [{ as: "server_error" }, "Telegram answered 500"],
      [{ as: "bad_gateway" }, "what answered was not Telegram"],
      [{ as: "reset_before" }, "could not be reached"],
      [{ as: "too_many_requests", retry_after: 3 }, "Telegram answered 429"],
    ] as const,
  )("waits out %j and goes on", async (how, sentence) => {
    api.misbehaves("getUpdates", how);
    await api.person(5).says("/help");
    const poll = poller();
    poll.start();
    await until(() => poll.got.length === 1);
    expect(poll.said[0]).toContain(sentence);
    expect(poll.pauses).toEqual(["retry_after" in how ? 3000 : 1000]);
    expect(poll.said.join()).not.toContain(api.token);
  });

  it("names the variable when the token is wrong", async () => {
    const poll = poller({ token: "1:wrong" });
    poll.start();
    await until(() => poll.said.length === 1);
    expect(poll.said[0]).toContain("TELEGRAM_BOT_TOKEN");
    expect(poll.said[0]).not.toContain("1:wrong");
  });

  it("sends an update again that was not recorded, and none behind it first", async () => {
    let down = true;
    const order: number[] = [];
    const poll = poller({
      webhook: async (request) => {
        order.push((await request.json()).update_id);
        return down ? Response.json({ error: "unavailable" }, { status: 503 }) : Response.json({});
      },
    });
    await api.person(5).says("one");
    await api.person(5).says("two");
    poll.start();
    await until(() => order.length >= 2);
    expect(new Set(order)).toEqual(new Set([1]));
    down = false;
    await until(() => order.includes(2));
    expect(poll.said[0]).toContain("could not be recorded yet");
  });

  it("passes over an update that the webhook will never take, and says which", async () => {
    await api.person(5).says("one");
    await api.person(5).says("two");
    let first = true;
    const poll = poller({
      webhook: () => {
        const status = first ? 422 : 200;
        first = false;
        return Promise.resolve(Response.json({}, { status }));
      },
    });
    poll.start();
    await until(() => poll.places.get("telegram:7000000001") === "3");
    expect(poll.said).toEqual(["Update 1 was refused by the webhook (422)."]);
  });

  it("feeds updates to the webhook in order, with its secret, asking only for what it understands", async () => {
    const poll = poller();
    poll.start();
    await api.person(5).says("one");
    await api.person(6).says("two");
    await until(() => poll.got.length === 2);
    expect(poll.texts()).toEqual(["one", "two"]);
    expect(poll.got[0].secret).toBe("hook-secret");
    expect(api.called("getUpdates")[0].parameters.allowed_updates).toEqual([
      "message",
      "edited_message",
      "callback_query",
      "chat_join_request",
    ]);
  });

  it("goes on after a restart where it stopped, without a gap and without a repeat", async () => {
    const first = poller();
    const end = first.start();
    await api.person(5).says("one");
    await until(() => first.places.get("telegram:7000000001") === "2");
    stop.abort();
    await end;
    await api.person(5).says("two");
    stop = new AbortController();
    const second = poller({}, first.places);
    second.start();
    await until(() => second.got.length === 1);
    expect(first.texts()).toEqual(["one"]);
    expect(second.texts()).toEqual(["two"]);
  });

  it("carries out the answer to a tapped button, and survives a refusal of it", async () => {
    api.misbehaves("answerCallbackQuery", {
      as: "bad_request",
      description: "Bad Request: query is too old",
    });
    const poll = poller({
      webhook: () =>
        Promise.resolve(
          Response.json({
            method: "answerCallbackQuery",
            callback_query_id: "7",
            text: "Approved",
          }),
        ),
    });
    await api.person(5).says("one");
    await api.person(5).says("two");
    poll.start();
    await until(() => api.called("answerCallbackQuery").length === 2);
    expect(api.called("answerCallbackQuery")[1].parameters).toEqual({
      callback_query_id: "7",
      text: "Approved",
    });
    expect(poll.said).toEqual([
      "A button could not be answered: Telegram answered 400: Bad Request: query is too old.",
    ]);
  });

  it("carries out nothing else that a body may name", async () => {
    const poll = poller({
      webhook: () =>
        Promise.resolve(Response.json({ method: "sendMessage", chat_id: 5, text: "x" })),
    });
    await api.person(5).says("one");
    poll.start();
    await until(() => poll.places.size === 1);
    expect(api.called("sendMessage")).toEqual([]);
  });

  it("ends in the middle of a long poll when it is told to", async () => {
    const poll = poller({ poll_seconds: 30 });
    const end = poll.start();
    await until(() => api.called("getUpdates").length === 1);
    const started = Date.now();
    stop.abort();
    await end;
    expect(Date.now() - started).toBeLessThan(500);
  });
});
