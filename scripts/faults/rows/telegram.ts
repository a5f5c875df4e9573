import * as line from "../../../tests/support/line.ts";
import { Findings, type Row } from "../row.ts";
import { alertBody, channel, RunningStack } from "../running-stack.ts";
import { until } from "../../../tests/support/until.ts";
import { shuffled } from "../seed.ts";
import { tally } from "./door.ts";
import { decided, message, nextUpdate, webhookOf } from "./webhook.ts";

const anyOrder: Row = {
  id: 13,
  fault: "updates in any order, twice, with ids of another week",
  promise: "the end does not depend on the order",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const tell = webhookOf(db);
    const found = new Findings();
    const rounds = scene.times(30);
    const ends = new Map<string, number>();
    let sent = 0;
    for (let round = 0; round < rounds; round++) {
      const taskId = await line.signalAtGate(db);
      const code = await line.openCode(db, taskId);
      // Somebody who says yes and no in whatever order has said no; the rest changes nothing.
      const yes = { update_id: nextUpdate(), message: message(1001, `/approve ${code} yes`) };
      const all = [
        yes,
        yes,
        {
          update_id: nextUpdate() + Math.floor(scene.random() * 1e9),
          message: message(1001, `/approve ${code} no`),
        },
        { update_id: nextUpdate(), message: message(9999, `/approve ${code} yes`) },
        {
          update_id: nextUpdate(),
          message: message(1005, `/approve ${code} yes`, {
            forward_origin: { type: "hidden_user", sender_user_name: "x", date: 1 },
          }),
        },
        { update_id: nextUpdate(), message: message(1003, "/pending") },
      ];
      await db.owner("delete from private.rate_buckets");
      for (const update of shuffled(scene.random, all)) {
        found.must((await tell(update)).status === 200, "an update was not answered with 200");
        sent++;
      }
      const [{ end }] = await db.owner<{ end: string }>(
        `select t.status || '/' || r.status || '/' || (select count(*) from public.approvals a where a.task_id = t.task_id and a.decision = 'reject') as end
         from public.tasks t join public.approval_requests r using (task_id) where t.task_id = $1`,
        [taskId],
      );
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    found.must(
      ends.size === 1 && ends.has("rejected/rejected/1"),
      `ends: ${[...ends.keys()].join(", ")}`,
    );
    found.counted(sent, "updates in shuffled order");
    found.saw(`${rounds} of ${rounds} orders end alike: ${[...ends.keys()].join()}`);
    return found.outcome(`${rounds} orders of six updates`);
  },
};

const replayed: Row = {
  id: 14,
  fault: "an approval is delivered again, then sent again under a new id",
  promise: "the first counts; the rest is a no-op, audited",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const tell = webhookOf(db);
    const found = new Findings();
    const taskId = await line.signalAtGate(db);
    const code = await line.openCode(db, taskId);
    const update = { update_id: nextUpdate(), message: message(1001, `/approve ${code} yes`) };
    const first = await tell(update);
    found.must(first.code === null, `the first was refused: ${first.code}`);
    const n = scene.times(20);
    for (let i = 0; i < n; i++) await tell(update);
    const later: (string | null)[] = [];
    for (let i = 0; i < n; i++) {
      later.push(
        (await tell({ update_id: nextUpdate(), message: message(1001, `/approve ${code} yes`) }))
          .code,
      );
    }
    found.must(
      later.every((one) => one === "already_decided"),
      `under new ids: ${[...new Set(later)].join()}`,
    );
    found.must(await decided(db, taskId) === 1, "more than one decision is on record");
    const refused = await db.count(
      "public.audit_logs where code = 'already_decided' and task_id = $1",
      [taskId],
    );
    found.must(refused === n, `${refused} of ${n} repeats are audited`);
    found.counted(n, "repeats of one update");
    found.counted(refused, "repeats under new ids audited as already_decided");
    found.saw("1 decision");
    return found.outcome(`${2 * n} replays`);
  },
};

const wrongSecret: Row = {
  id: 15,
  fault: "a wrong, cut or missing webhook secret",
  promise: "401, the body is not looked at",
  needs: ["postgres"],
  async run(scene) {
    const stack = await RunningStack.start(scene);
    const found = new Findings();
    const kept = stack.env.TELEGRAM_WEBHOOK_SECRET;
    const wrong = [
      "",
      "x",
      kept.slice(0, -1),
      `${kept}0`,
      kept.toUpperCase(),
      ` ${kept.slice(1)}`,
      "desk-token-0123456789",
      stack.env.SERVICE_TOKEN,
    ];
    const statuses: number[] = [];
    for (const secret of wrong) {
      for (
        const body of [
          { update_id: 1, message: message(1001, "/stop") },
          "{ no JSON",
          "x".repeat(600_000),
        ]
      ) {
        const response = await stack.update(body, secret).catch(() =>
          new Response(null, { status: 401 })
        );
        await response.arrayBuffer();
        statuses.push(response.status);
      }
    }
    const none = await stack.post("/telegram-webhook", "{}");
    await none.arrayBuffer();
    statuses.push(none.status);
    found.must(statuses.every((status) => status === 401), tally(statuses));
    found.must(await stack.database.count("public.telegram_updates") === 0, "an update was taken");
    found.must(
      await stack.database.count("public.emergency_stops where state <> 'running'") === 0,
      "a stop was taken",
    );
    found.counted(statuses.length, "posts with wrong secrets");
    found.saw(`${tally(statuses)}, 0 updates on record`);
    return found.outcome(`${wrong.length} wrong secrets, three bodies each`);
  },
};

const forgedButton: Row = {
  id: 20,
  fault: "a button's data is forged, foreign or cut",
  promise: "opaque nonces, bound to request and person; refused",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const tell = webhookOf(db);
    const found = new Findings();
    const taskId = await line.signalAtGate(db);
    const [{ nonce }] = await db.owner<{ nonce: string }>(
      "select nonce from public.approval_requests where task_id = $1",
      [taskId],
    );
    const press = (
      from: number,
      data: string,
      chat: Record<string, unknown> = { id: from, type: "private" },
    ) =>
      tell({
        update_id: nextUpdate(),
        callback_query: {
          id: String(nextUpdate()),
          from: { id: from, is_bot: false, first_name: "P" },
          message: {
            message_id: 7,
            from: { id: 7, is_bot: true, first_name: "Bot" },
            chat,
            date: 1,
            text: "card",
          },
          chat_instance: "-1",
          data,
        },
      });
    const forged = Array.from({ length: scene.times(60) }, () => {
      const at = Math.floor(scene.random() * nonce.length);
      const digit =
        "0123456789abcdef"[(parseInt(nonce[at], 16) + 1 + Math.floor(scene.random() * 15)) % 16];
      return `y:${nonce.slice(0, at)}${digit}${nonce.slice(at + 1)}`;
    });
    for (
      const data of [
        ...forged,
        "y:",
        `y:${nonce.slice(0, -1)}`,
        `y:${nonce} `,
        `Y:${nonce}`,
        `y:${taskId}`,
        "approve",
      ]
    ) {
      await db.owner("delete from private.rate_buckets");
      await press(1001, data);
      found.must(await decided(db, taskId) === 0, `${data} decided`);
    }
    await db.owner("delete from private.rate_buckets");
    const codes: string[] = [];
    for (
      const [who, chat] of [[1002, undefined], [1003, undefined], [9999, undefined], [1001, {
        id: -100123,
        type: "supergroup",
      }], [1001, { id: 1005, type: "private" }]] as const
    ) {
      codes.push(String((await press(who, `y:${nonce}`, chat)).code));
      found.must(await decided(db, taskId) === 0, `${who} decided`);
    }
    const own = await press(1001, `y:${nonce}`);
    found.must(
      own.code === null && await decided(db, taskId) === 1,
      `the right press was refused: ${own.code}`,
    );
    found.counted(forged.length, "forged nonces pressed");
    found.counted(codes.length, `right nonces pressed by others or elsewhere: ${codes.join(" ")}`);
    found.saw("0 decisions; the right press by the right person counted");
    return found.outcome("forged nonces, foreign presses");
  },
};

const telegramDown: Row = {
  id: 21,
  fault: "Telegram is down while people are asked",
  promise: "the step waits, nothing approves itself; expiry is a no",
  needs: ["postgres"],
  async run(scene) {
    const { stack, api } = await RunningStack.withBot(scene);
    const db = stack.database;
    const found = new Findings();
    await api.refuseConnections();
    const [waits, lapses] = await Promise.all(["bar 1", "bar 2"].map(async (time) => {
      const { task_id } = await (await stack.alert(alertBody({ time }))).json();
      await until("the gate", async () => await line.statusOf(db, task_id) === "awaiting_approval");
      return String(task_id);
    }));
    await until(
      "a failed attempt to tell",
      async () => await db.count("public.notifications where attempt > 0 and status <> 'sent'") > 0,
    );
    found.counted(
      await db.count("public.notifications where attempt > 0 and status <> 'sent'"),
      "messages whose sending was tried and failed",
    );
    // Fifteen minutes, without waiting for them: the digest is bound to the expiry, so only the refusal can follow.
    await db.owner(
      "update public.approval_requests set expires_at = private.now() - interval '1 second' where task_id = $1",
      [lapses],
    );
    await until("the expiry", async () => await line.statusOf(db, lapses) === "rejected", 30_000);
    found.must(await line.statusOf(db, waits) === "awaiting_approval", "the waiting task moved");
    found.must(await db.count("public.approvals") === 0, "something approved itself");
    await api.open();
    await db.owner(
      "update public.notifications set run_at = private.now() where status = 'queued'",
    );
    const card = await until(
      "the card",
      () => api.person(1001).reads.find((text) => text.includes(waits) && text.includes("T2-")),
      30_000,
    );
    await api.person(1001).says(`/approve ${/T2-\d{8}-\d{4,}/.exec(card)?.[0]} yes`);
    await until("the archive", async () => await line.statusOf(db, waits) === "archived", 30_000);
    for (const text of api.received(channel)) {
      db.sink.push(/T-\d{4}-\d{2}-\d{2}-\d{4,}/.exec(text)?.[0] ?? text);
    }
    found.must(
      !api.received(channel).some((text) => text.includes(lapses)),
      "the lapsed one was posted",
    );
    found.saw("waited, lapsed as rejected, and went on when Telegram was back; posted once");
    return found.outcome("the Bot API refuses connections at two gates");
  },
};

export const telegram = [anyOrder, replayed, wrongSecret, forgedButton, telegramDown];
