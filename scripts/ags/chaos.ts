import { migrations, openBareDatabase, testDatabase } from "../../tests/support/database.ts";
import { migrate } from "../stack/migrate.ts";
import { embeddedMigrator } from "../stack/migrators.ts";
import { Sentence } from "../stack/sentence.ts";
import { chaosCases } from "./chaos/cases.ts";
import { chaosScene } from "./chaos/scene.ts";
import { actor, ask, unlessRefused } from "./holder.ts";

/**
 * Makes trouble on a database of its own, in memory, and waits for what the runbook promises. The operator's stack is
 * touched by one call: the record of the run.
 */
export async function chaos(
  name: string,
  options: { yes?: boolean; json?: boolean },
): Promise<void> {
  if (!Object.hasOwn(chaosCases, name)) {
    throw new Sentence(`There is no case "${name}": ${Object.keys(chaosCases).join(", ")}.`);
  }
  if (options.yes !== true && !Deno.stdin.isTerminal()) {
    throw new Sentence("Nobody can be asked here whether to put the run on record: --yes does it.");
  }
  const started = performance.now();
  const pg = await openBareDatabase();
  try {
    await migrate(embeddedMigrator(pg), await migrations());
    const { injected, observed, recovered, runbook } = await chaosCases[name](
      await chaosScene(await testDatabase(pg)),
    );
    if (options.json !== true) {
      console.log(`injected   ${injected}`);
      console.log(`observed   ${observed}`);
      console.log(`recovered  ${recovered ? "yes" : "NO"}, by runbook ${runbook}`);
    }
    const evidence = {
      injected,
      observed,
      where: "a scratch database in memory with a moved clock",
    };
    if (options.yes === true || confirm("Put this run on record?")) {
      const p_seconds = Math.ceil((performance.now() - started) / 1000);
      const recorded = unlessRefused(
        await ask<{ id: string }>("administer", {
          name: "record_chaos_run",
          args: {
            p_case: name,
            p_seconds,
            p_recovered: recovered,
            p_runbook: runbook,
            p_evidence: evidence,
            p_actor: actor(),
          },
        }),
      );
      console.log(
        options.json
          ? JSON.stringify({ ...recorded, ...evidence, recovered, runbook })
          : `recorded   ${recorded.id}`,
      );
    }
    if (!recovered) throw new Sentence(`${name} was not recovered from.`);
  } finally {
    await pg.close();
  }
}
