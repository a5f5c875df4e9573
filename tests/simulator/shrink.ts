import type { Act, Script } from "./act.ts";
import { type Divergence, Player } from "./player.ts";
import { readable } from "./readable.ts";
import type { System } from "./system.ts";

export interface Found {
  seed: number;
  divergences: Divergence[];
  /** The shortest play that still shows it, as a person reads it. */
  lines: string[];
}

export const play = (system: System, script: Script): Promise<Divergence[]> =>
  new Player(system, script).play();

/** Plays a script; where it diverges, leaves out act after act as long as it still does. */
export async function playAndShrink(
  system: System,
  script: Script,
  attempts = 60,
  tally: Record<string, number> = {},
): Promise<Found | null> {
  const player = new Player(system, script);
  let divergences = await player.play();
  for (const [what, times] of Object.entries(player.tally)) {
    tally[what] = (tally[what] ?? 0) + times;
  }
  if (divergences.length === 0) return null;
  let acts: Act[] = script.acts.slice(0, divergences[0].at + 1);
  for (let size = Math.ceil(acts.length / 2); size >= 1 && attempts > 0;) {
    let isShorter = false;
    for (let from = 0; from < acts.length && attempts > 0; attempts--) {
      const shorter = [...acts.slice(0, from), ...acts.slice(from + size)];
      const found = await play(system, { ...script, acts: shorter });
      if (found.length > 0) {
        acts = shorter;
        divergences = found;
        isShorter = true;
      } else from += size;
    }
    if (size === 1 && !isShorter) break;
    size = Math.max(1, Math.floor(size / 2));
    if (size === 1 && acts.length === 1) break;
  }
  return {
    seed: script.seed,
    divergences,
    lines: [...readable({ ...script, acts }), ...divergences.map(({ what }) => `=> ${what}`)],
  };
}
