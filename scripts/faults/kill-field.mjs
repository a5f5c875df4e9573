// Where workers are killed: a database of its own, somebody outside on loopback, and tasks whose effect waits for a yes.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deskEvent } from "../stop/approved-tasks.mjs";
import { openScratch } from "../stop/scratch.mjs";
import { preparePosts } from "./post-field.mjs";
import { prepareTrades } from "./trade-field.mjs";

/** telegram honours no key: two calls are two messages. bridge honours the order's: two calls are one order. */
export const receivers = { telegram: preparePosts, bridge: prepareTrades };

const readyEffects = `
  select count(*)::int as ready from private.ready_steps r
  join public.task_steps s using (step_id) join public.tasks t using (task_id)
  where s.is_effect and t.action = $1 and r.run_at <= private.now()`;

/**
 * `count` is how many effects are there to be let through. Beside what is here a receiver brings: `action`, `env` for the
 * workers, how many `hands` a sound one has, `approve`, `nameOf` a task's row, `happened`, the map from such names to how
 * often it happened outside, and `repeated`, the calls that carried a key anew.
 */
export async function openField(url, receiver, count) {
  const scratch = await openScratch(url, 8);
  const directory = await mkdtemp(join(tmpdir(), "ags-kill-"));
  /** Nobody waits for the policy's limits a minute, so those buckets are kept full. */
  const refill = () => scratch.owner("delete from private.rate_buckets where bucket like 'tool:%'");
  const putAway = async () => {
    await scratch.close();
    await rm(directory, { recursive: true });
  };
  const effects = await receivers[receiver](scratch, directory, count, refill).catch(
    async (error) => {
      await putAway();
      throw error;
    },
  );
  const tasks = new Set();
  return {
    ...effects,
    scratch,
    tasks,
    env: { DATABASE_URL: scratch.url, ...effects.env },
    /** What each waiting worker needs to reach its point. */
    wanted: new Map(),
    refill,
    /** Lets so many through that this many effects are ready to be taken, and not one more. */
    async approve(wanted) {
      const [{ ready }] = await scratch.owner(readyEffects, [effects.action]);
      for (let left = wanted - ready; left > 0; left--) {
        const id = await effects.approve();
        if (id !== null) tasks.add(id);
      }
    },
    async accept(i) {
      const p_event = deskEvent("kill", "READ", { i });
      tasks.add((await scratch.call("accept_event", { p_event })).task_id);
    },
    async close() {
      await effects.close();
      await putAway();
    },
  };
}
