import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { openSink } from "../../../scripts/faults/sink.mjs";
import { startWorkerProcess } from "../../../scripts/faults/worker-process.mjs";
import type { TestDatabase } from "../../support/database.ts";
import * as line from "../../support/line.ts";
import { onNativePostgres, openNativeDatabase } from "../../support/native.ts";

/** A model that takes questions and answers none until it is told to. */
async function heldModel() {
  const asked = { times: 0 };
  const server = createServer(() => void asked.times++).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    asked,
    env: {
      LLM_BASE_URL: `http://127.0.0.1:${Object(server.address()).port}/v1`,
      LLM_MODEL: "held",
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

onNativePostgres("a worker that is stopped in the middle and goes on a minute later", () => {
  it("hands in nothing: its step is another's, and its effect waits for a person", async () => {
    const native = await openNativeDatabase();
    const db = native as unknown as TestDatabase;
    const directory = await mkdtemp(join(tmpdir(), "ags-paused-"));
    const sink = await openSink(join(directory, "sink.ndjson"));
    const model = await heldModel();
    const channel = "-1001234567890";
    const telegram = {
      TELEGRAM_BOT_TOKEN: "1:paused",
      TELEGRAM_API_ROOT: sink.url,
      TELEGRAM_CHAT_ID: channel,
    };
    const workers = new Set<ReturnType<typeof startWorkerProcess>>();
    const start = (env: Record<string, string>) => {
      const worker = startWorkerProcess({ DATABASE_URL: native.gatewayUrl, ...env });
      workers.add(worker);
      return worker;
    };
    const value = async (sql: string, id: unknown) =>
      (await db.owner<{ value: unknown }>(sql, [id]))[0]?.value;
    try {
      await line.activate(db);
      await line.addMember(db, "operator", "olga", "1001");
      const taskId = await line.signalAtGate(db);
      await line.decide(db, "1001", await line.openCode(db, taskId));
      const { task_id: readId } = await line.accept(
        db,
        line.alertEvent("read", { source: "desk", action: "READ" }),
      );

      sink.set("hold");
      const paused = start({ ...telegram, ...model.env });
      const effect = () =>
        value("select status as value from public.effects where task_id = $1", taskId);
      const critic = () =>
        value(
          "select status as value from public.task_steps where task_id = $1 and node_id = 'critic'",
          readId,
        );
      await expect.poll(effect, { timeout: 90_000 }).toBe("sent");
      await expect.poll(() => sink.posts(channel).size, { timeout: 10_000 }).toBe(1);
      await expect.poll(() => model.asked.times, { timeout: 30_000 }).toBeGreaterThan(0);
      expect(await critic()).toBe("running");
      paused.signal("SIGSTOP");
      const since = Date.now();

      // Its lease of 30 seconds lapses, and the other one does the step; the one of the effect is a minute long.
      const other = start(telegram);
      await expect.poll(critic, { timeout: 50_000, interval: 500 }).toBe("done");
      await expect.poll(effect, { timeout: 60_000, interval: 500 }).toBe("unknown");
      await sleep(Math.max(0, 61_000 - (Date.now() - since)));
      paused.signal("SIGCONT");
      sink.release();

      const refused = async (action: string, id: unknown) =>
        Number(
          (await db.owner<{ n: number }>(
            "select count(*) as n from public.audit_logs where task_id = $1 and action = $2 and code = 'stale_lease'",
            [id, action],
          ))[0].n,
        );
      await expect.poll(() => refused("effect.confirm", taskId), { timeout: 20_000 }).toBe(1);
      await expect.poll(
        async () =>
          await refused("step.complete", readId) + await refused("step.extend", readId) +
          await refused("step.return", readId),
        { timeout: 40_000 },
      ).toBeGreaterThanOrEqual(1);
      // What it saw is on record for whoever settles the outcome, and nothing was sent a second time.
      const seen = await value(
        "select after_json ->> 'outcome' as value from public.audit_logs where task_id = $1 " +
          "and action = 'effect.confirm' and code = 'stale_lease'",
        taskId,
      );
      expect(["confirmed", "unknown"]).toContain(seen);
      expect(await effect()).toBe("unknown");
      expect(await line.statusOf(db, taskId)).toBe("paused");
      expect([...sink.posts(channel).values()]).toEqual([1]);
      const doubled = "select count(*)::int as value from public.artifacts a " +
        "join public.task_steps s using (step_id) where s.task_id = $1 and s.node_id = 'critic'";
      expect(await value(doubled, readId)).toBe(1);
      other.signal("SIGTERM");
      expect((await other.ended).code).toBe(0);
    } finally {
      for (const worker of workers) worker.signal("SIGKILL");
      await Promise.all([...workers].map(({ ended }) => ended));
      model.close();
      await sink.close();
      await rm(directory, { recursive: true });
      await native.close();
    }
  }, 400_000);
});
