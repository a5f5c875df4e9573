import type { TestDatabase } from "../../../tests/support/database.ts";
import { freezeClock, type FrozenClock } from "../../../tests/support/clock.ts";
import { household } from "../../../tests/support/household.ts";
import type { Name, RunbookDeps, RunbookOptions } from "../runbooks/run.ts";

export type Runbook = (deps: RunbookDeps, options: RunbookOptions) => Promise<void>;

/** What a case did and saw. `recovered` is what the runbook promises, seen and not assumed. */
export interface ChaosOutcome {
  injected: string;
  observed: string;
  recovered: boolean;
  runbook: Name;
}

/** A database of its own with people and the shipped policy, whose clock is moved instead of waited for. */
export interface ChaosScene {
  db: TestDatabase;
  clock: FrozenClock;
  /** A clock for code that asks the process and not the database. */
  now(): Date;
  advance(seconds: number): Promise<void>;
  /** Runs a runbook with every change agreed to. Returns what it said. */
  run(runbook: Runbook, options?: Partial<RunbookOptions>): Promise<string[]>;
  /** How the tool answers the runbook's canary. */
  canary: RunbookDeps["canary"];
}

export type ChaosCase = (scene: ChaosScene) => Promise<ChaosOutcome>;

export async function chaosScene(db: TestDatabase): Promise<ChaosScene> {
  await household(db);
  let at = Date.now();
  const clock = await freezeClock(db, new Date(at).toISOString());
  const advance = async (seconds: number) => {
    at += seconds * 1000;
    await clock.advance(seconds);
  };
  const scene: ChaosScene = {
    db,
    clock,
    advance,
    now: () => new Date(at),
    canary: () => Promise.resolve({ asked: false, good: false, said: "no canary in this case" }),
    async run(runbook, options = {}) {
      const said: string[] = [];
      await runbook({
        administer: (name, args) => administerByName(db, name, args),
        say: (line) => said.push(line),
        confirm: () => Promise.resolve(true),
        canary: (tool) => scene.canary(tool),
        wait: advance,
        interrupted: new AbortController().signal,
        actor: "chaos",
        runId: crypto.randomUUID(),
      }, { dryRun: false, task: null, tool: null, watchSeconds: 30, ...options });
      return said;
    },
  };
  return scene;
}

async function administerByName<T>(
  db: TestDatabase,
  name: string,
  args: Record<string, unknown>,
): Promise<T> {
  const names = Object.keys(args);
  const values = names.map((key) => {
    const value = args[key];
    return value !== null && typeof value === "object" ? JSON.stringify(value) : value;
  });
  const [row] = await db.as<{ answer: T }>(
    "administrator",
    `select api.${name}(${names.map((key, i) => `${key} => $${i + 1}`).join(", ")}) as answer`,
    values,
  );
  return row.answer;
}

export async function breakerState(db: TestDatabase, tool: string): Promise<string> {
  const [row] = await db.owner<{ state: string }>(
    "select state from public.circuit_breakers where tool = $1",
    [tool],
  );
  return row.state;
}
