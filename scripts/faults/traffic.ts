import { setTimeout as sleep } from "node:timers/promises";
import { planner } from "../../functions/_agents/planner.ts";
import type { Agent } from "../../functions/_agents/agent.ts";
import type { Database } from "../../functions/_database/database.ts";
import { Refusal } from "../../functions/_domain/refusal.ts";
import { type OrchestratorDeps, tick } from "../../functions/orchestrator/handler.ts";
import { alertEvent, policy, policySha256, resultOf } from "../../tests/support/line.ts";
import { noOutside } from "../../tests/support/outside.ts";
import type { FaultedDatabase } from "./faulted-database.ts";
import type { Scene } from "./scene.ts";

const stub: Agent = (work) => Promise.resolve(resultOf(work) as Awaited<ReturnType<Agent>>);

/** The orchestrator of the platform with agents that answer at once. */
export const orchestratorOf = (
  database: Database,
  worker: string,
  more: Partial<OrchestratorDeps> = {},
): OrchestratorDeps => ({
  ...noOutside,
  database,
  service_token: "service-token",
  policy: { ok: true, policy, sha256: policySha256 },
  agents: { planner, researcher: stub, retriever: stub, trader: stub, exec: stub, critic: stub },
  embed: () => Promise.resolve(Array(384).fill(0.05)),
  judge: null,
  worker,
  now: () => new Date(),
  budget_ms: 2000,
  ...more,
});

/** A request that needs nobody: plan, retrieve, act, critic, record, archive. */
export const readEvent = (key: string) =>
  alertEvent(key, {
    source: "desk",
    source_name: "desk",
    source_event_id: key,
    action: "READ",
    goal: `Read ${key}`,
  });

interface Accepted {
  task_id: string;
}

/** Senders that never cease and workers behind them, until it is ended; what the database could not answer is a maybe. */
export class Traffic {
  #over = false;
  readonly #running: Promise<void>[] = [];
  /** When each request was acknowledged. */
  readonly acknowledged: number[] = [];
  readonly unknown: string[] = [];
  /** What came out of calls other than answers and refusals. */
  readonly errors = new Map<string, number>();
  #number = 0;

  constructor(
    readonly scene: Scene,
    readonly db: FaultedDatabase,
    { senders = 4, workers = 2, pauseMs = 0, label = "load" } = {},
  ) {
    for (let i = 0; i < senders; i++) {
      this.#running.push(this.#send(`${label}-sender-${i}`, label, pauseMs));
    }
    for (let i = 0; i < workers; i++) this.#running.push(this.#work(`${label}-worker-${i}`));
  }

  /** `invoke`, then `ok` with the task, `fail` where it was refused, `info` where nobody knows. */
  async accept(process: string, key: string): Promise<"ok" | "fail" | "info"> {
    const { history } = this.scene;
    history.add("invoke", process, "accept", key);
    try {
      const answer = await this.db.database.call<Partial<Accepted> & { refused?: string }>(
        "accept_event",
        {
          p_event: readEvent(key),
        },
      );
      const { task_id } = answer;
      if (task_id === undefined) {
        history.add("fail", process, "accept", key, answer.refused);
        return "fail";
      }
      history.add("ok", process, "accept", key, task_id);
      this.db.acknowledged.push(task_id);
      this.acknowledged.push(Date.now());
      return "ok";
    } catch (error) {
      this.#note(error);
      history.add("info", process, "accept", key, String(error).slice(0, 120));
      this.unknown.push(key);
      return "info";
    }
  }

  eventOf(key: string): ReturnType<typeof readEvent> {
    return readEvent(key);
  }

  #note(error: unknown): void {
    const name = error instanceof Refusal
      ? error.code
      : String(Object(error).code ?? error).slice(0, 60);
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1);
  }

  async #send(process: string, label: string, pauseMs: number): Promise<void> {
    while (!this.#over) {
      const outcome = await this.accept(process, `${label}-${this.#number++}`);
      await sleep(outcome === "ok" ? pauseMs : 50);
    }
  }

  async #work(worker: string): Promise<void> {
    const deps = orchestratorOf(this.db.database, worker, { budget_ms: 500 });
    while (!this.#over) {
      const done = await tick(deps).catch((error) => {
        this.#note(error);
        return null;
      });
      await sleep(done === null ? 50 : done.claimed === 0 ? 20 : 1);
    }
  }

  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
  }

  /** Acknowledged requests a second between two moments. */
  rate(from: number, to: number): number {
    return this.acknowledged.filter((at) => at >= from && at < to).length / ((to - from) / 1000);
  }

  /** Asks again for what nobody saw the end of: the answer is looked up by its key, never assumed. */
  async resolve(): Promise<number> {
    const open = this.unknown.splice(0);
    for (const key of open) await this.accept("resolver", key);
    return open.length;
  }

  /** Writes down what is there, for the history checker. */
  async found(): Promise<void> {
    const rows = await this.db.owner<{ key: string }>(
      "select source_event_id as key from public.tasks order by created_at",
    );
    for (const { key } of rows) this.scene.history.add("ok", "reader", "found", key);
  }

  /** Works off what is left. Returns the tasks that did not reach their end. */
  async drain(ms = 40_000): Promise<number> {
    const end = Date.now() + ms;
    const lanes = ["drain-1", "drain-2", "drain-3"];
    for (;;) {
      // Time passes for whoever lost a lease or waits to try again.
      await this.db.owner(
        `update public.task_steps set lease_expires_at = private.now() - interval '1 second'
         where status = 'running' and worker not like 'drain%'`,
      );
      await this.db.owner(
        "update public.task_steps set run_at = private.now() where status = 'ready' and run_at > private.now()",
      );
      await this.db.owner("select private.reap_leases()");
      // A session that was ended while it idled is noticed by whoever uses it next.
      await Promise.all(
        lanes.map((lane) =>
          tick(orchestratorOf(this.db.database, lane)).catch((error) => this.#note(error))
        ),
      );
      const left = await this.db.count("public.tasks where ended_at is null");
      if (left === 0 || Date.now() > end) return left;
    }
  }
}
