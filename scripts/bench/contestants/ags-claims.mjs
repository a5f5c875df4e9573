import { connect } from "../server/databases.mjs";
import { openCommands } from "./ags-commands.mjs";

/**
 * One claim after another on two databases that differ in depth alone, in turns, so that whatever else the machine does
 * meets both. What was claimed is put back at the end of the queue, untimed.
 */
export async function claims({ shallow, deep, policySha256, samples, limit, agents }) {
  const sides = await Promise.all([shallow, deep].map(async (url) => ({
    commands: await openCommands(url, policySha256, 1),
    owner: connect(url),
    latencies: [],
  })));
  try {
    const turn = async ({ commands, owner, latencies }, measured) => {
      const started = performance.now();
      const work = await commands.claim("bench", limit, agents);
      const took = performance.now() - started;
      if (work.length !== limit) throw new Error(`${work.length} of ${limit} steps were claimed`);
      if (measured) latencies.push(took);
      await owner.unsafe(
        `update public.task_steps set status = 'ready', lease_token = null, lease_expires_at = null, run_at = clock_timestamp()
         where step_id = any ($1::text::uuid[])`,
        [`{${work.map(({ step_id }) => step_id).join(",")}}`],
      );
    };
    for (let n = -100; n < samples; n++) {
      for (const side of n % 2 === 0 ? sides : sides.toReversed()) await turn(side, n >= 0);
    }
    return { shallow: sides[0].latencies, deep: sides[1].latencies };
  } finally {
    for (const { commands, owner } of sides) {
      await commands.close();
      await owner.end();
    }
  }
}
