import { decidingPolicyOf, type Yes } from "../../functions/_policy/policy-domain.ts";
import { crew, type Proof, prove } from "../../functions/_policy/policy-proof.ts";
import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { records, tableText } from "./output.ts";
import { policyFrom } from "./policy-file.ts";

/** Proves what can be proved of a policy before anybody has to live with it; throws when something does not hold. */
export async function check(
  file: string,
  { roster, json }: { roster?: string; json?: boolean },
): Promise<void> {
  const read = await policyFrom(file);
  const people = roster === undefined ? await members() : rosterOf(roster);
  const policy = decidingPolicyOf(read.policy);
  if (policy === null) throw new Sentence("policy_invalid: its deciding parts cannot be read");
  const proof = prove(policy, people);
  if (json) console.log(JSON.stringify({ policy_sha256: read.sha256, ...proof }));
  else console.log(proofText(proof, `${file} ${read.sha256.slice(0, 12)}`, people));
  if (proof.breaches.length > 0) throw new Sentence(breachText(proof));
}

export function proofText(proof: Proof, what: string, people: Yes[]): string {
  const { rules, actions, points, allowed, refused } = proof;
  const columns = ["rule", "actions", "critic", "asks", "met_by"] as const;
  const table = tableText({
    columns: ["rule", "actions", "critic", "asks", `met by ${crew(people)}`],
    rows: rules.map((row) => columns.map((name) => row[name])),
  }).replace(/\n\(\d+ rows?\)$/, "");
  const held = proof.breaches.length === 0
    ? "\nUnknown actions fail closed, more risk never needs less approval, every rule can be met."
    : "";
  return `${what}\n${table}\n${points} points of ${actions} actions and some that no policy has: ` +
    `${allowed} allowed, ${refused} refused.${held}`;
}

export const breachText = ({ breaches }: Proof): string =>
  breaches.map(({ rule, proof, sentence }) => `${rule} breaks "${proof}": ${sentence}.`).join("\n");

/** Who could decide today: an account without Telegram cannot. */
export const decidingMembers =
  "select person_id::text as person, role from public.members where status = 'active' and telegram_user_id is not null";

export const peopleIn = (rows: Record<string, unknown>[]): Yes[] =>
  rows.map(({ person, role }) => ({ person: String(person), role: String(role) }));

async function members(): Promise<Yes[]> {
  const answer = await askAsAuditor(decidingMembers, 1000).catch((error) => {
    throw error instanceof Sentence
      ? new Sentence(`${error.message} Or say who there will be: --roster owner=1,operator=1`)
      : error;
  });
  return peopleIn(records(answer));
}

/** `owner=1,operator=2`: that many persons of each role. */
export function rosterOf(text: string): Yes[] {
  return text.split(",").flatMap((part) => {
    const [, role, count] = /^(owner|operator|reviewer)=(\d{1,3})$/.exec(part.trim()) ?? [];
    if (role === undefined) {
      throw new Sentence(`"${part}" is no part of a roster: owner=1,operator=1`);
    }
    return Array.from({ length: Number(count) }, (_, i) => ({ person: `${role} ${i + 1}`, role }));
  });
}
