import { loadBundledPolicy } from "../../functions/_policy/bundled-policy.ts";
import { root } from "../stack/files.ts";
import { Sentence } from "../stack/sentence.ts";
import { judgeSet } from "./gold.ts";
import { showObjects } from "./output.ts";

export const goldSets = ["signals", "summaries", "support"] as const;
export const defaultThreshold = 95;

/** The agents and the critic on cases with a known outcome; a set below the threshold is an exit code as well. */
export async function evaluate(options: { threshold?: string; json?: boolean }): Promise<void> {
  const threshold = Number(options.threshold ?? defaultThreshold);
  if (!(threshold >= 0 && threshold <= 100)) {
    throw new Sentence("--threshold is a percentage from 0 to 100.");
  }
  const policy = await loadBundledPolicy();
  if (!policy.ok) throw new Sentence(`${policy.code}: ${policy.reason}`);
  const results = [];
  for (const set of goldSets) {
    const lines = await Deno.readTextFile(`${root}tests/gold/${set}.jsonl`);
    results.push(await judgeSet(policy.policy, set, lines));
  }
  const rows = results.map(({ set, cases, passed }) => ({
    set,
    cases,
    passed,
    pass_pct: (100 * passed / cases).toFixed(1),
  }));
  showObjects(rows, ["set", "cases", "passed", "pass_pct"], options.json === true);
  for (const { set, failures } of results) {
    for (const failure of failures) console.error(`${set}: ${failure}`);
  }
  const low = results.filter(({ cases, passed }) => 100 * passed / cases < threshold);
  if (low.length > 0) {
    throw new Sentence(`Below ${threshold} %: ${low.map(({ set }) => set).join(", ")}.`);
  }
}
