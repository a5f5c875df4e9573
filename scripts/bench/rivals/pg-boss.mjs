// pg-boss as its documentation has it for throughput: jobs fetched and completed by the batch, many inserted at once,
// maintenance and schedules left to another process.
import { PgBoss } from "pg-boss";

async function open(url, connections) {
  const boss = new PgBoss({
    connectionString: url,
    max: connections,
    supervise: false,
    schedule: false,
    application_name: "bench",
  });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue("bench", { retryLimit: 0 });
  return boss;
}

async function fill(boss, jobs) {
  for (let at = 0; at < jobs; at += 1000) {
    await boss.insert(
      "bench",
      Array.from({ length: Math.min(1000, jobs - at) }, (_, n) => ({ data: { n: at + n } })),
    );
  }
}

async function drain(boss, { workers, batch }) {
  let done = 0;
  const work = async () => {
    for (;;) {
      const mine = await boss.fetch("bench", { batchSize: batch });
      if (mine.length === 0) return;
      await boss.complete("bench", mine.map(({ id }) => id));
      done += mine.length;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: workers }, work));
  return { done, seconds: (performance.now() - started) / 1000 };
}

export async function steps({ url, workers, batch, jobs, settle }) {
  const boss = await open(url, workers);
  try {
    await fill(boss, Math.ceil(jobs / 10));
    await drain(boss, { workers, batch });
    await fill(boss, jobs);
    await settle();
    const { done, seconds } = await drain(boss, { workers, batch });
    return { jobs: done, seconds, per_s: done / seconds };
  } finally {
    await boss.stop({ graceful: false });
  }
}

export async function intake({ url, clients, tasks, settle }) {
  const boss = await open(url, clients);
  try {
    const send = async (count) => {
      let left = count;
      const client = async () => {
        while (left-- > 0) await boss.send("bench", { goal: "A task of the bench", id: left });
      };
      const started = performance.now();
      await Promise.all(Array.from({ length: clients }, client));
      return (performance.now() - started) / 1000;
    };
    await send(Math.ceil(tasks / 5));
    await settle();
    const seconds = await send(tasks);
    return { tasks, seconds, per_s: tasks / seconds };
  } finally {
    await boss.stop({ graceful: false });
  }
}
