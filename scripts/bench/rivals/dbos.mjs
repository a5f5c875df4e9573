// DBOS Transact, called in its own process: a workflow is awaited directly, so nothing is enqueued and nothing polled.
// A step is checkpointed by one write of its own; there is no batch to configure, only how many workflows run at once.
import { DBOS } from "@dbos-inc/dbos-sdk";

let length = 0;
const noop = () => Promise.resolve(null);
const workflow = DBOS.registerWorkflow(async () => {
  for (let n = 0; n < length; n++) await DBOS.runStep(noop, { name: "read" });
}, { name: "bench" });

async function launched(url, connections, body) {
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: url,
    systemDatabasePoolSize: connections,
    applicationVersion: "bench",
    logLevel: "critical",
    tracingEnabled: false,
    enableOTLP: false,
    // Nothing of the bench waits for a notification, so the connection for it is not opened.
    useListenNotify: false,
  });
  await DBOS.launch();
  try {
    return await body();
  } finally {
    await DBOS.shutdown();
  }
}

async function workflows(count, atOnce) {
  let left = count;
  const client = async () => {
    while (left-- > 0) await workflow();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: atOnce }, client));
  return (performance.now() - started) / 1000;
}

export function steps({ url, workers, jobs, settle }) {
  length = 6;
  return launched(url, workers, async () => {
    const count = Math.ceil(jobs / length);
    // Four workflows a connection keep the pool full.
    const atOnce = workers * 4;
    await workflows(Math.ceil(count / 10), atOnce);
    await settle();
    const seconds = await workflows(count, atOnce);
    return { jobs: count * length, seconds, per_s: count * length / seconds };
  });
}

export function taskEndToEnd({ url, tasks, length: steps, settle }) {
  length = steps;
  return launched(url, 4, async () => {
    await workflows(Math.ceil(tasks / 5), 1);
    await settle();
    const latencies = [];
    for (let n = 0; n < tasks; n++) {
      const started = performance.now();
      await workflow();
      latencies.push(performance.now() - started);
    }
    return { latencies };
  });
}
