import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DatabaseError } from "../../functions/_database/database.ts";
import type { TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";
import { onNativePostgres, openNativeDatabase } from "../support/native.ts";
import { openGateway } from "../support/supabase-lite.ts";
import { overEveryTransport, type Transport } from "../support/transports.ts";

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(() => null, (thrown) => thrown);
  expect(error).toBeInstanceOf(DatabaseError);
  return (error as DatabaseError).code;
};

overEveryTransport((open) => {
  let transport: Transport;
  let db: TestDatabase;

  beforeAll(async () => {
    transport = await open();
    // The line's steps use what every transport has.
    db = transport as unknown as TestDatabase;
  });
  afterAll(() => transport?.close());

  describe("before a policy is active", () => {
    it("stores an alert and hands out no work, until there is one", async () => {
      const accepted = await line.accept(db, line.alertEvent(`BUY ${randomUUID()}`));
      expect(accepted).toMatchObject({ duplicate: false, status: "created" });
      expect(await line.claim(db)).toEqual([]);
      await line.activate(db);
      expect((await line.claim(db)).map((work) => work.task_id)).toContain(accepted.task_id);
    });
  });

  describe("who is at the database", () => {
    it("runs as service_role, which may write no table at all", async () => {
      const identity = await db.database.call<Record<string, unknown>>("runtime_identity");
      expect(identity).toMatchObject({
        role: "service_role",
        superuser: false,
        writable_tables: [],
      });
    });

    it.each(["private.now", "public.tasks", "pg_catalog.version"])(
      "has no way to %s, which is no command",
      async (name) => {
        await expect(db.database.call(name)).rejects.toThrow();
      },
    );

    it("refuses the commands of the administrator", async () => {
      const member = { role: "owner", name: "mallory", telegram_user_id: "13" };
      const code = await codeOf(
        db.database.call("add_member", { p_member: member, p_actor: "mallory" }),
      );
      expect(code).toBe("42501");
    });
  });

  describe("the line", () => {
    it("answers a refusal as a value and keeps it in the audit log", async () => {
      const answer = await line.accept(
        db,
        line.alertEvent(`BUY ${randomUUID()}`, { action: "MOON" }),
      );
      expect(answer).toMatchObject({ refused: "unclassified_action" });
      const [row] = await db.owner<{ code: string }>(
        "select code from public.audit_logs where object = $1",
        [`receipt:${answer.receipt_id}`],
      );
      expect(row.code).toBe("unclassified_action");
    });

    it("returns the same task for the same alert", async () => {
      const event = line.alertEvent(`BUY ${randomUUID()} "quoted" \\ 🙂 it's`);
      const first = await line.accept(db, event);
      const second = await line.accept(db, event);
      expect([first.duplicate, second.duplicate]).toEqual([false, true]);
      expect(second.task_id).toBe(first.task_id);
      const [receipt] = await db.owner<{ body: string }>(
        "select body from public.event_receipts where receipt_id = $1",
        [first.receipt_id],
      );
      expect(receipt.body).toBe(event.body);
    });

    it("accepts a result once: the second one holds no lease", async () => {
      const { task_id } = await line.accept(db, line.alertEvent(`BUY ${randomUUID()}`));
      const work = (await line.claim(db, ["planner"])).find((step) => step.task_id === task_id)!;
      expect(await line.plan(db, work)).toMatchObject({ task_id });
      expect(await line.plan(db, work)).toMatchObject({ refused: "stale_lease" });
      const [ready] = (await line.claim(db)).filter((step) => step.task_id === task_id);
      const result = line.resultOf(ready);
      expect((await line.complete(db, { ...ready, lease_token: randomUUID() }, result))[0])
        .toMatchObject({ refused: "stale_lease" });
      expect((await line.complete(db, ready, result))[0]).toMatchObject({ status: "done" });
      expect((await line.complete(db, ready, result))[0]).toMatchObject({ refused: "stale_lease" });
    });

    it("refuses a direct write, whatever the transport would allow", async () => {
      const write = db.as("service_role", "update public.tasks set status = 'archived'");
      await expect(write).rejects.toMatchObject({ code: "42501" });
    });

    it("keeps fifty calls at once apart", async () => {
      const events = Array.from({ length: 50 }, (_, i) =>
        line.alertEvent(
          `SELL ${i} ${randomUUID()}`,
          i % 5 === 0 ? { action: "MOON" } : { source_event_id: `id-${i}-${randomUUID()}` },
        ));
      const answers = await Promise.all(events.map((event) => line.accept(db, event)));
      answers.forEach((answer, i) => {
        if (i % 5 === 0) expect(answer.refused).toBe("unclassified_action");
        else expect(answer.duplicate).toBe(false);
      });
      const tasks = answers.flatMap(({ task_id }) => task_id ? [task_id] : []);
      expect(new Set(tasks).size).toBe(40);
    });
  });
});

onNativePostgres("the gateway without the secret key", () => {
  it("gives a stranger no command", async () => {
    const native = await openNativeDatabase();
    const { database, stranger } = await openGateway(native);
    const event = line.alertEvent("BUY BTCUSDT");
    expect(await codeOf(stranger.call("accept_event", { p_event: event }))).toBe("42501");
    expect(await codeOf(stranger.call("health", { p_observed: {} }))).toBe("42501");
    await database.close();
    await native.close();
  });
});
