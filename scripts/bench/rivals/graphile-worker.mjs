// graphile-worker as its performance page has it: a local queue, so that jobs are fetched by the batch, and completions
// gathered into batches.
import { Logger, makeWorkerUtils, run } from "graphile-worker";

const silent = new Logger(() => () => {});

async function fill(utils, jobs) {
  for (let at = 0; at < jobs; at += 1000) {
    await utils.addJobs(
      Array.from({ length: Math.min(1000, jobs - at) }, (_, n) => ({
        identifier: "bench",
        payload: { n: at + n },
      })),
    );
  }
}

/** From the start of the runner to the last job: its completions are flushed before the clock stops. */
async function drain({ url, concurrency, localQueue, connections, jobs }) {
  let done = 0;
  let finish;
  const last = new Promise((resolve) => finish = resolve);
  const started = performance.now();
  const runner = await run({
    preset: {
      worker: {
        connectionString: url,
        concurrentJobs: concurrency,
        maxPoolSize: connections,
        localQueue: { size: localQueue },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
        logger: silent,
      },
    },
    noHandleSignals: true,
    taskList: {
      bench: () => {
        if (++done === jobs) finish();
      },
    },
  });
  await last;
  await runner.stop();
  await runner.promise;
  return { done, seconds: (performance.now() - started) / 1000 };
}

export async function steps({ url, workers, jobs, settle }) {
  const utils = await makeWorkerUtils({ connectionString: url, maxPoolSize: 1, logger: silent });
  try {
    await utils.migrate();
    // The page's own numbers. With four jobs at once, or a queue of two hundred, it was not faster here.
    const shape = { url, concurrency: 24, localQueue: 500, connections: workers };
    await fill(utils, Math.ceil(jobs / 10));
    await drain({ ...shape, jobs: Math.ceil(jobs / 10) });
    await fill(utils, jobs);
    await settle();
    const { done, seconds } = await drain({ ...shape, jobs });
    return { jobs: done, seconds, per_s: done / seconds };
  } finally {
    await utils.release();
  }
}
