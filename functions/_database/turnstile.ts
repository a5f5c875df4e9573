/** Lets one caller through at a time; `first` ones pass those that work in the background. */
export type Turnstile = <T>(first: boolean, run: () => Promise<T>) => Promise<T>;

/** More than two at the door within this time is a crowd. */
const crowdMs = 200;
const crowdSize = 3;

/** PGlite answers within microtasks: without a turn of the event loop no request would even be read. */
const breathe = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });

/**
 * One session serves the door and the workers. In plain order of arrival a backlog of steps holds up the answers at
 * the door, and TradingView hangs up after 3 seconds. So the door goes first, every sixteenth turn is the workers'
 * (a flood must not stop the line), and while there is a crowd the workers rest after each call as long as it took.
 * `npm run bench` shows what it gives.
 */
export function turnstile(now: () => number = () => performance.now()): Turnstile {
  const door: (() => void)[] = [];
  const work: (() => void)[] = [];
  const knocks: number[] = [];
  let busy = false;
  let resting = false;
  let turns = 0;
  let lastWork = 0;

  const isCrowded = () =>
    knocks.length >= crowdSize && now() - knocks[knocks.length - crowdSize] < crowdMs;

  function next(): void {
    turns += 1;
    const mayWork = work.length > 0 && !resting;
    const waiting = mayWork && (door.length === 0 || turns % 16 === 0) ? work : door;
    const go = waiting.shift();
    busy = go !== undefined;
    go?.();
  }

  function rest(): void {
    resting = true;
    setTimeout(() => {
      resting = false;
      if (!busy) next();
    }, lastWork);
  }

  return async (first, run) => {
    if (first) knocks.push(now());
    if (knocks.length > crowdSize) knocks.shift();
    if (busy || (!first && resting)) {
      await new Promise<void>((resolve) => (first ? door : work).push(resolve));
    }
    busy = true;
    const began = now();
    try {
      if (!first) await breathe();
      return await run();
    } finally {
      if (!first) {
        lastWork = now() - began;
        if (isCrowded()) rest();
      }
      next();
    }
  };
}
