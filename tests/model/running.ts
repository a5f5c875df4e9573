import fc from "fast-check";
import { type Base, began, enter, gateKey, iso } from "./base.ts";
import type { Command, Story } from "./commands.ts";
import { answerDifferences, stateDifferences } from "./comparing.ts";
import { apply } from "./model.ts";
import { brokenPromises } from "./oracle.ts";
import { Player } from "./player.ts";
import { ended } from "./stopping.ts";
import { stories } from "./stories.ts";
import type { Attempt } from "./trespass.ts";
import type { World } from "./world.ts";
import { newWorld } from "./house.ts";

export interface Divergence {
  /** The commands that meant something, up to the one after which the two were no longer the same. */
  commands: Command[];
  found: string[];
}
export interface Run {
  played: number;
  attempts: number;
  effects: number;
  seen: Set<string>;
  divergence: Divergence | null;
}

export const storyOf = (seed: number, run: number, maxCommands: number): Story =>
  fc.sample(stories(maxCommands), { seed: Math.imul(seed, 1_000_003) + run | 0, numRuns: 1 })[0];

/** Plays a story on Postgres beside the model, compares after every command, and takes everything back. */
export async function play(base: Base, story: Story, attempts: Attempt[]): Promise<Run> {
  const { pg } = base.db;
  const run: Run = { played: 0, attempts: 0, effects: 0, seen: new Set(), divergence: null };
  const at = began + 1000;
  await pg.exec(`begin;
    select model.tell('${
    iso(at)
  }'), model.plant($$select setval('private.request_numbers', 1000), setval('private.task_numbers', 1000)$$);
    ${
    story.t3
      ? "select model.plant($$insert into public.feature_flags (key, enabled, updated_by, reason) values ('t3_execution_enabled', true, 'test', 'test')$$);"
      : ""
  }`);
  try {
    await through(base, story, attempts, at, run);
    if (run.divergence === null) {
      const { rows } = await pg.query<{ seen: string[] }>(
        "select model.call('postgres', $1) as seen",
        [edges],
      );
      for (const edge of rows[0].seen) run.seen.add(edge);
    }
  } finally {
    await pg.exec("rollback");
  }
  return run;
}

async function setting(base: Base, story: Story, at: number): Promise<[string, World]> {
  const { kind, requester, from } = story;
  const gate = base.gates.get(gateKey(kind, requester))!;
  const world = from === "gate" ? structuredClone(gate.world) : newWorld(kind, requester, at);
  const taskId = from === "gate" ? gate.taskId : await enter(base, kind, requester);
  // Whoever held a lease before the story began is not in it.
  Object.assign(world, {
    now: at,
    t3: story.t3,
    leases: [],
    due: { work: began + 5000, confirmations: began + 60_000 },
  });
  return [taskId, world];
}

async function through(
  base: Base,
  story: Story,
  attempts: Attempt[],
  at: number,
  run: Run,
): Promise<void> {
  let [taskId, world] = await setting(base, story, at);
  const player = new Player(base, taskId, attempts);
  const played: Command[] = [];
  let afterwards = 0;
  let step = upcoming(world, story.commands, 0);
  let reserved = (await player.look(step?.world.now ?? at)).effects.length;
  while (step !== null) {
    const { command, answers, world: expected } = step;
    const next = upcoming(expected, story.commands, step.place + 1);
    const found: string[] = [];
    played.push(command);
    try {
      found.push(
        ...answerDifferences(answers, await player.play(world, expected, command, answers)),
      );
      // The clock is told the time of the next command with the same statement: that saves one each.
      const look = await player.look(next?.world.now ?? expected.now);
      found.push(...stateDifferences(expected, look));
      if (look.effects.length > reserved) found.push(...await brokenPromises(base.db, taskId));
      reserved = look.effects.length;
    } catch (error) {
      found.push(`the database raised: ${(error as Error).message}`);
    }
    run.played++;
    run.attempts = player.attempts;
    for (const { refused } of answers) if (refused) run.seen.add(refused);
    if (found.length > 0) {
      run.divergence = { commands: played, found };
      return;
    }
    world = expected;
    // What has ended stays so: a few more commands show it, all others would be refused alike.
    if (ended.includes(world.task.status) && ++afterwards > 3) break;
    step = next;
  }
  run.effects = world.effects.length;
}

/** The next command that means something in this world. */
function upcoming(world: World, commands: Command[], from: number) {
  for (let place = from; place < commands.length; place++) {
    const next = apply(world, commands[place]);
    if (next !== null) return { ...next, place, command: commands[place] };
  }
  return null;
}

/** Which edges of the four machines were taken, as the audit tells it. */
const edges = `
  select coalesce(jsonb_agg(distinct split_part(l.object, ':', 1) || ' ' || coalesce(l.before_json ->> 'status', '(new)') || ' → ' || (l.after_json ->> 'status')), '[]')
  from public.audit_logs l where l.id > (select a.id from model.began a) and l.outcome = 'done'
    and l.object ~ '^(task|step|request|effect):' and l.after_json ? 'status'`;

/** The shortest story that still goes wrong, found by leaving out and by making plain. */
export async function shrink(base: Base, story: Story, first: Divergence, attempts: Attempt[]) {
  let best = { ...story, commands: first.commands };
  let divergence = first;
  const better = async (candidate: Story): Promise<boolean> => {
    const { divergence: found } = await play(base, candidate, attempts);
    if (found === null) return false;
    best = { ...candidate, commands: found.commands };
    divergence = found;
    return true;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (let size = Math.ceil(best.commands.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let i = best.commands.length - size; i >= 0; i--) {
        const commands = best.commands.toSpliced(i, size);
        if (commands.length > 0 && await better({ ...best, commands })) changed = true;
        i = Math.min(i, best.commands.length - size + 1);
      }
    }
    for (const plainer of plainerStories(best)) if (await better(plainer)) changed = true;
  }
  return { story: best, divergence };
}

const plain: Record<string, unknown> = {
  code: "right",
  ownChat: true,
  simulated: false,
  bundle: "active",
  sign: "right",
  later: false,
  lease: "newest",
  payload: "approved",
  marks: 0,
  rehearsed: true,
};

function* plainerStories(story: Story): Generator<Story> {
  if (story.requester !== null) yield { ...story, requester: null };
  if (story.from !== "gate") yield { ...story, from: "gate" };
  for (const [i, command] of story.commands.entries()) {
    for (const [field, usual] of Object.entries(plain)) {
      const value = (command as Record<string, unknown>)[field];
      if (value === undefined || value === usual) continue;
      yield {
        ...story,
        commands: story.commands.with(i, { ...command, [field]: usual } as Command),
      };
    }
  }
}

/** Plays until something is found, and shrinks it. */
export async function hunt(
  base: Base,
  { seed, runs, maxCommands, attempts }: {
    seed: number;
    runs: number;
    maxCommands: number;
    attempts: Attempt[];
  },
) {
  for (let i = 0; i < runs; i++) {
    const story = storyOf(seed, i, maxCommands);
    const { divergence } = await play(base, story, attempts);
    if (divergence !== null) return { run: i, ...await shrink(base, story, divergence, attempts) };
  }
  return null;
}
