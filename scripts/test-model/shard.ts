import { openBase } from "../../tests/model/base.ts";
import { mutations, takeOut } from "../../tests/model/mutations.ts";
import { hunt, play, shrink, storyOf } from "../../tests/model/running.ts";
import { trespasses } from "../../tests/model/trespass.ts";
import { told } from "../../tests/model/words.ts";
import { openTestDatabase } from "../../tests/support/database.ts";

/** One process of `npm run test:model`: its share of the stories, played in a database in memory. */
interface Order {
  seed: number;
  index: number;
  of: number;
  runs: number;
  maxCommands: number;
  only: number | null;
  guards: boolean;
}
const order: Order = JSON.parse(Deno.args[0]);
const tell = (news: Record<string, unknown>) => console.log(JSON.stringify(news));

const db = await openTestDatabase();
const base = await openBase(db);
const attempts = await trespasses(db);
const { seed, maxCommands } = order;
const known = await db.owner<{ edge: string }>(
  "select subject || ' ' || from_status || ' → ' || to_status as edge from private.transitions order by 1",
);
tell({ known: known.map(({ edge }) => edge) });

async function stories(): Promise<void> {
  const last = order.only ?? order.runs - 1;
  for (let run = order.only ?? order.index; run <= last; run += order.of) {
    const story = storyOf(seed, run, maxCommands);
    const played = await play(base, story, attempts);
    const shrunk = played.divergence && await shrink(base, story, played.divergence, attempts);
    tell({
      run,
      runs: 1,
      commands: played.played,
      effects: played.effects,
      attempts: played.attempts,
      seen: [...played.seen],
      ...shrunk ? { divergence: told(shrunk.story, shrunk.divergence) } : {},
    });
    // What was taken back is still in the tables' files, and every look walks over it.
    if (Math.floor(run / order.of) % 200 === 199) {
      for (const statement of ["set role postgres", "vacuum", "set role service_role"]) {
        await db.pg.exec(statement);
      }
    }
  }
}

/** Each guard taken out once: the model must notice within 200 stories, and a few commands must tell why. */
async function guards(): Promise<void> {
  for (const [i, mutation] of mutations.entries()) {
    if (i % order.of !== order.index) continue;
    const putBack = await takeOut(db, mutation);
    const found = await hunt(base, { seed, runs: 200, maxCommands, attempts });
    await putBack();
    const length = found?.divergence.commands.length ?? 0;
    const missed = found === null || length > 6;
    tell({
      guard: found === null
        ? `MISSED  ${mutation.name}: 200 stories did not part`
        : `${
          missed ? "MISSED" : "caught"
        }  ${mutation.name}: story ${found.run}, ${length} commands\n${
          told(found.story, found.divergence)
        }`,
    });
    if (missed) Deno.exitCode = 1;
  }
}

await (order.guards ? guards() : stories());
await db.close();
