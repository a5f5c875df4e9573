const most = 50;

interface Waiting<T> {
  item: T;
  done: () => void;
  failed: (error: unknown) => void;
}

/**
 * Hands items in together without making any wait for company: the first goes at once, and what arrives while it is under
 * way goes with the next. Where a batch fails its items are handed in one by one, so that a bad one fails alone.
 */
export function batches<T>(handIn: (items: T[]) => Promise<void>): (item: T) => Promise<void> {
  const waiting: Waiting<T>[] = [];
  let busy = false;

  async function together(batch: Waiting<T>[]): Promise<void> {
    try {
      await handIn(batch.map(({ item }) => item));
      for (const { done } of batch) done();
    } catch (error) {
      if (batch.length === 1) return batch[0].failed(error);
      for (const one of batch) await together([one]);
    }
  }

  async function work(): Promise<void> {
    busy = true;
    while (waiting.length > 0) await together(waiting.splice(0, most));
    busy = false;
  }

  return (item) =>
    new Promise((done, failed) => {
      waiting.push({ item, done, failed });
      if (!busy) void work();
    });
}
