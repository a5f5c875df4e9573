/** Lets one caller through at a time; `first` ones pass those that work in the background. */
export type Turnstile = <T>(first: boolean, run: () => Promise<T>) => Promise<T>;

/** PGlite answers within microtasks: without a turn of the event loop no request would even be read. */
const breathe = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });

/**
 * One session serves the door and the workers. In plain order of arrival a backlog of steps holds up the answers at
 * the door (measured: 300 alerts at 50/s waited up to 17 s), and TradingView hangs up after 3. So the door goes
 * first, but every sixteenth turn is the workers', or a flood at the door would stop the line.
 */
export function turnstile(): Turnstile {
  const door: (() => void)[] = [];
  const work: (() => void)[] = [];
  let busy = false;
  let turns = 0;

  function next(): void {
    turns += 1;
    const waiting = work.length > 0 && (door.length === 0 || turns % 16 === 0) ? work : door;
    const go = waiting.shift();
    if (go) go();
    else busy = false;
  }

  return async (first, run) => {
    if (busy) await new Promise<void>((resolve) => (first ? door : work).push(resolve));
    busy = true;
    try {
      if (!first) await breathe();
      return await run();
    } finally {
      next();
    }
  };
}
