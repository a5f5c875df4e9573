import { mostGroups, type ReplayReport } from "../../functions/_domain/policy-change.ts";
import { decidingPolicyOf } from "../../functions/_policy/policy-domain.ts";
import { prove } from "../../functions/_policy/policy-proof.ts";
import { countOf, type Group, type Replay } from "../../functions/_policy/policy-replay.ts";
import { Sentence } from "../stack/sentence.ts";
import { ask, unlessRefused } from "./holder.ts";
import { breachText, decidingMembers, peopleIn } from "./policy-check.ts";
import { policyFrom } from "./policy-file.ts";
import { readAsAuditor } from "./policy-pages.ts";
import { replayFrom, reportText } from "./policy-replay.ts";
import { progress } from "./progress.ts";

interface Proposed {
  policy_sha256: string;
  status: string;
  changed: boolean;
  task_id?: string;
  tier?: string;
  /** Value by value, as the database found them. */
  changes?: string[];
}

/**
 * Asks for another policy in a member's name, with the report of what it would have decided differently. People decide,
 * and not the member who asks.
 */
export async function propose(
  file: string | undefined,
  options: { as?: string[]; json?: boolean },
): Promise<void> {
  if (!file) throw new Sentence("Say which policy: policy propose new.yaml");
  const as = options.as?.[0];
  if (!as) {
    throw new Sentence("Say which member proposes it, and so will not approve it: --as <member>");
  }
  const next = await policyFrom(file);
  const policy = decidingPolicyOf(next.policy);
  if (policy === null) throw new Sentence("policy_invalid: its deciding parts cannot be read");
  const { active, replay, proof } = await readAsAuditor(async (reading) => {
    const [row] = await reading.rows(
      "select policy_sha256 from public.policies where status = 'active'",
    );
    const bar = (total: number) => progress("Replaying", total);
    return {
      active: row?.policy_sha256,
      proof: prove(policy, peopleIn(await reading.rows(decidingMembers))),
      replay: await replayFrom(reading, policy, { bar }),
    };
  });
  if (typeof active !== "string") {
    throw new Sentence("No policy is in force, so there is none to change: policy activate");
  }
  // A rule that nobody can meet would also be the rule for changing it back.
  if (proof.breaches.length > 0) throw new Sentence(breachText(proof));
  const proposed = unlessRefused(
    await ask<Proposed>("administer", {
      name: "propose_policy",
      args: {
        p_text: next.text,
        p_body: next.policy,
        p_report: reportOf(replay, active),
        p_actor: `cli:${as}`,
      },
    }),
  );
  if (options.json) return console.log(JSON.stringify({ ...proposed, replay }));
  console.log(`${reportText(replay)}\n`);
  if (proposed.changes) console.log(`${["What changes:", ...proposed.changes].join("\n  ")}\n`);
  console.log(sentenceOf(proposed));
}

function sentenceOf({ policy_sha256, status, changed, task_id, tier }: Proposed): string {
  if (status === "active") return `${policy_sha256} is in force already.`;
  if (!changed) return `${policy_sha256} is ${status} already: ${task_id}.`;
  return `Proposed: ${policy_sha256}, as ${tier} task ${task_id}. ` +
    `It is decided in Telegram; then it waits until every function carries it (npm run ags -- policy status).`;
}

/** The report as a task carries it: figures as text, and of many groups the largest. */
export function reportOf(replay: Replay, replaces: string): ReplayReport {
  const groups = (some: readonly Group[]) =>
    some.slice(0, mostGroups).map(({ gate, action, how, count, examples }) => ({
      gate: gate.slice(0, 32),
      action: action.slice(0, 64),
      how: how.slice(0, 500),
      count: String(count),
      examples,
    }));
  return {
    replaces,
    decisions: String(replay.decisions),
    reproduced: String(replay.reproduced),
    not_reproduced: String(countOf(replay.not_reproduced)),
    loosened: String(countOf(replay.loosened)),
    tightened: String(countOf(replay.tightened)),
    not_reproduced_groups: groups(replay.not_reproduced),
    loosened_groups: groups(replay.loosened),
    tightened_groups: groups(replay.tightened),
  };
}
