// The embedded stack from outside, over loopback HTTP: what a newcomer's machine does with `npm start`.
import { setTimeout as sleep } from "node:timers/promises";
import { latencies, percentile, rounded } from "../report/statistics.mjs";
import { startStack } from "./embedded-stack.mjs";

async function measureReads(stack, count, step) {
  const sent = new Map();
  for (let i = 0; i < count; i++) {
    const at = Date.now();
    const answer = await fetch(`${stack.url}/intake/tasks`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${stack.secrets.SERVICE_TOKEN}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        source: "bench",
        source_event_id: `read-${i}`,
        actor: "bench",
        goal: `Read note ${i}`,
        action: "READ",
        payload: { text: `Note ${i}: the level of 67000 held twice.`, summary: `Note ${i}` },
      }),
    });
    sent.set((await answer.json()).task_id, at);
    await sleep(100); // one at a time: the figure is latency, not throughput
    if (i % 25 === 24) step(`T0 tasks ${i + 1}/${count}`);
  }
  const rows = await stack.sql(
    "select task_id, extract(epoch from archived_at) * 1000 as at from public.tasks where source = 'bench' and archived_at is not null",
  );
  const took = rows.map((row) => Number(row.at) - sent.get(row.task_id));
  return {
    archived: rows.length,
    of: count,
    p50_ms: rounded(percentile(took, 0.5)),
    p95_ms: rounded(percentile(took, 0.95)),
  };
}

async function measureIntake(stack, rate, seconds, step) {
  const token = stack.secrets.INTAKE_TOKENS.split(",")[0].split("=").at(-1);
  const took = [];
  const answers = [];
  const started = performance.now();
  for (let i = 0; i < rate * seconds; i++) {
    await sleep(Math.max(0, started + i * 1000 / rate - performance.now()));
    const at = performance.now();
    answers.push(
      fetch(`${stack.url}/intake/tradingview/${token}`, {
        method: "POST",
        body: JSON.stringify({
          ticker: "BTCUSDT",
          action: "buy",
          price: 67000 + i,
          sl: 66000,
          tp: 69500,
          time: `bar ${i}`,
        }),
      }).then(async (answer) => {
        await answer.text();
        took.push(performance.now() - at);
        return answer.status;
      }),
    );
    if (i % (rate * 2) === rate * 2 - 1) step(`alerts at ${rate}/s ${i + 1}/${rate * seconds}`);
  }
  const accepted = (await Promise.all(answers)).filter((status) => status === 202).length;
  return { rate_per_s: rate, accepted, of: rate * seconds, ...latencies(took) };
}

export async function measureEmbedded(bench) {
  const { quick } = bench.options;
  bench.step("starting");
  const stack = await startStack(bench.atEnd);
  try {
    return {
      started_in_ms: stack.start_ms,
      fsync: "PGlite runs without fsync: latency of the line, no claim of durability",
      t0_post_to_archived: await measureReads(stack, quick ? 40 : 100, bench.step),
      intake: await measureIntake(stack, 50, quick ? 5 : 10, bench.step),
    };
  } finally {
    await stack.stop();
  }
}
