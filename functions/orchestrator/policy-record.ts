import type { PolicyOnRecord } from "../_agents/agent.ts";
import type { Database } from "../_database/database.ts";
import { Refusal } from "../_domain/refusal.ts";
import { parsePolicy } from "../_policy/parse-policy.ts";
import { policyDigest } from "../_policy/policy-digest.ts";

interface Kept {
  refused?: Refusal["code"];
  reason?: string;
  text: string;
  body_sha256: string;
}

/**
 * A proposed policy as the database keeps it. People approve its text and the database obeys its parsed body, which
 * whoever proposed it handed over beside the text: a body that is not what the text says is refused here.
 */
export async function readPolicy(database: Database, sha256: string): Promise<PolicyOnRecord> {
  const kept = await database.call<Kept>("read_proposed_policy", { p_policy_sha256: sha256 });
  if (kept.refused) throw new Refusal(kept.refused, kept.reason);
  const read = await parsePolicy(kept.text);
  if (!read.ok) {
    throw new Refusal("digest_drift", `The proposed text cannot be read: ${read.reason}`);
  }
  // The database's own hash: a body that passed through here could have lost digits on the way.
  if (await policyDigest(read.policy) !== kept.body_sha256) {
    throw new Refusal("digest_drift", "The database would obey another policy than this text.");
  }
  return { policy_sha256: read.sha256, body_sha256: kept.body_sha256 };
}
