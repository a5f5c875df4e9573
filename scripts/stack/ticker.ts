export interface Worker {
  name: string;
  /** One pass; says how much it did. Zero: there is nothing to do. */
  pass: () => Promise<number>;
  /** Whoever may have work once this one did something. */
  wakes: string[];
}

export interface Ticker {
  /** Something may be ready: every worker looks. Any number of calls during a pass mean one more pass. */
  nudge(): void;
  /** The same for one worker. */
  call(name: string): void;
  /** Ends the passes under way and starts no other. */
  stop(): Promise<void>;
  /** Nobody works and nobody has been called. */
  idle(): boolean;
}

/**
 * Keeps the line moving: each worker passes until it finds nothing, in a loop of its own, so that a slow Telegram
 * never holds up a plan. A failed pass is told and left to the next nudge, which the clock brings.
 */
export function ticker(workers: Worker[], tell: (name: string, error: unknown) => void): Ticker {
  const wanted = new Set<string>();
  const running = new Map<string, Promise<void>>();
  let stopped = false;

  async function work(worker: Worker): Promise<void> {
    while (wanted.delete(worker.name) && !stopped) {
      try {
        if (await worker.pass() > 0) {
          for (const name of [worker.name, ...worker.wakes]) call(name);
        }
      } catch (error) {
        tell(worker.name, error);
      }
    }
  }

  function call(name: string): void {
    const worker = workers.find((one) => one.name === name);
    if (stopped || !worker) return;
    wanted.add(name);
    if (running.has(name)) return;
    running.set(
      name,
      work(worker).finally(() => {
        running.delete(name);
        if (wanted.has(name)) call(name);
      }),
    );
  }

  return {
    nudge: () => workers.forEach(({ name }) => call(name)),
    call,
    async stop() {
      stopped = true;
      await Promise.all(running.values());
    },
    idle: () => running.size === 0 && wanted.size === 0,
  };
}
