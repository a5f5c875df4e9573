import { plant, type PlantedFault } from "./planted-fault.ts";
import { scriptOf } from "./script.ts";
import { type Found, playAndShrink } from "./shrink.ts";
import { System } from "./system.ts";

export interface RunOptions {
  seed: number;
  seeds: number;
  fault?: PlantedFault;
  /** How many shorter plays may be tried for a divergence. */
  attempts?: number;
  /** A system that others use, too; without it one is started for this run. */
  system?: System;
  /** Ends at the first divergence. */
  stopAtFirst?: boolean;
  say?: (line: string) => void;
}

export interface Run {
  played: number;
  acts: number;
  /** How often what happened in all plays. */
  tally: Record<string, number>;
  found: Found[];
}

/** Plays so many seeds from `seed` on, one after the other, over one database. */
export async function run(options: RunOptions): Promise<Run> {
  const { seed, seeds, fault, attempts, stopAtFirst = false, say = () => {} } = options;
  const system = options.system ?? await System.start();
  const found: Found[] = [];
  const tally: Record<string, number> = {};
  let played = 0;
  let acts = 0;
  const heal = fault ? await plant(system, fault) : null;
  try {
    for (let next = seed; next < seed + seeds; next++) {
      const script = scriptOf(next);
      const one = await playAndShrink(system, script, attempts, tally);
      played += 1;
      acts += script.acts.length;
      if (one) {
        found.push(one);
        say([`seed ${next} diverges:`, ...one.lines.map((line) => `  ${line}`)].join("\n"));
        if (stopAtFirst) break;
      }
      if (played % 50 === 0 && played < seeds) {
        say(`  seed ${next}: ${played}/${seeds} plays, ${found.length} divergences`);
      }
    }
  } finally {
    await heal?.();
    if (!options.system) await system.close();
  }
  return { played, acts, tally, found };
}
