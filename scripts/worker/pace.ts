/** How long an idle worker waits before it looks again. */
export interface Pace {
  /** Milliseconds until the next look; `dueMs` is when the database knows of something, null where it knows of nothing. */
  next(dueMs: number | null): number;
  /** Something happened: look again soon. */
  quicken(): void;
}

export interface PaceOptions {
  soonestMs?: number;
  latestMs: number;
  random?: () => number;
}

/**
 * Doubles from look to look while nothing happens, up to `latestMs`: a burst is followed closely and a silent night costs
 * next to nothing. What falls due earlier is met when it falls due; a little chance keeps many workers from meeting there.
 */
export function pace({ soonestMs = 50, latestMs, random = Math.random }: PaceOptions): Pace {
  let current = soonestMs;
  return {
    next(dueMs) {
      const wait = current;
      current = Math.min(latestMs, current * 2);
      return dueMs !== null && dueMs < wait
        ? Math.max(soonestMs, dueMs + random() * soonestMs)
        : wait;
    },
    quicken() {
      current = soonestMs;
    },
  };
}
