import { ack, addConsumer, type Batch, read, tell } from "../../../tests/support/bus.ts";
import * as line from "../../../tests/support/line.ts";
import * as payments from "../../../tests/support/payments.ts";
import * as trading from "../../../tests/support/trading.ts";
import { desync } from "../runbooks/desync.ts";
import { toolFailure } from "../runbooks/tool-failure.ts";
import { breakerState, type ChaosCase } from "./scene.ts";

const events = 60;

/** A reader takes a batch and never answers, others pile up: after its lease all is read, each event handled once. */
export const slowBus: ChaosCase = async (scene) => {
  const { db } = scene;
  await addConsumer(db, "ledger");
  const lag = async () => {
    const [row] = await db.owner<{ behind: string | null }>(
      "select lag_rows::text as behind from public.consumer_lag where consumer = 'ledger'",
    );
    return Number(row.behind ?? -1);
  };
  const told = await tell(db, events);
  const lost = await read(db, "ledger", 20);
  const during = await lag();
  const early: Batch = await read(db, "ledger", 20);
  await scene.run(desync, { watchSeconds: 31 });
  const handled: string[] = [];
  for (let i = 0; i < 10; i++) {
    const batch = await read(db, "ledger", 20);
    if (batch.events.length === 0) break;
    handled.push(...batch.events.map(({ idempotency_key }) => idempotency_key));
    await ack(db, "ledger", batch);
  }
  const mine = handled.filter((key) => told.includes(key));
  const after = await lag();
  return {
    injected: `a reader that took ${lost.events.length} of ${events} events and never answered`,
    observed:
      `${during} behind and ${early.events.length} handed out meanwhile; after the lease and the runbook ` +
      `${mine.length} handled, ${new Set(mine).size} of them different, ${after} behind`,
    recovered: lost.events.length === 20 && during >= events && early.events.length === 0 &&
      mine.join() === told.join() && after === 0,
    runbook: "desync",
  };
};

/** Nobody can be let in: the paid and approved access waits as pending_exec with an alert, and goes on by itself. */
export const paymentFailure: ChaosCase = async (scene) => {
  const { db } = scene;
  const tool = "telegram.invite";
  const buyer = "880001";
  await trading.switchOn(db);
  await payments.checked(db, buyer);
  await payments.quote(db, "5");
  for (let i = 0; i < 5; i++) {
    await db.database.call("report_call", {
      p_tool: tool,
      p_probe: null,
      p_outcome: "failure",
      p_error: "HTTP 502",
    });
  }
  const opened = await breakerState(db, tool);
  const { taskId, work } = await payments.approvedAccess(db, buyer);
  await line.fail(db, work, "breaker_open", { p_tool: tool, p_error: "It rests." });
  const during = await line.statusOf(db, taskId);
  const alerts = async () =>
    (await db.owner(
      "select 1 from public.alerts where code = 'pending_exec' and subject = $1 and closed_at is null",
      [`task:${taskId}`],
    )).length;
  const rang = await alerts();
  // The tool is back: no canary is known that changes nothing, so its breaker's own probe decides.
  await scene.run(toolFailure, { tool });
  await scene.advance(121);
  const probe = await db.database.call<{ probe?: string }>("admit_call", { p_tool: tool });
  await db.database.call("report_call", {
    p_tool: tool,
    p_probe: probe.probe,
    p_outcome: "success",
  });
  const after = await line.statusOf(db, taskId);
  return {
    injected: `five failures of ${tool} before a paid and approved access`,
    observed:
      `breaker ${opened}, task ${during} with ${rang} alert; after the probe task ${after} with ${await alerts()} alerts`,
    recovered: opened === "open" && during === "pending_exec" && rang === 1 &&
      after === "running" &&
      await alerts() === 0 && await breakerState(db, tool) === "closed",
    runbook: "tool-failure",
  };
};
