import { fromBase64 } from "../../functions/_edge/base64.ts";
import { keyIdOf } from "../../functions/_edge/signing.ts";
import { Sentence } from "../stack/sentence.ts";
import { type Approval, type Keys, signatureProblem } from "./approval-signature.ts";
import { askAsAuditor } from "./auditor.ts";
import { records, showObjects } from "./output.ts";
import { secondsOf } from "./sql.ts";

export interface VerifyOptions {
  /** Only these keys count; without them, those that the database has on record. */
  publicKey?: string[];
  /** What was decided before is left out: decisions were not signed from the first release on. */
  since?: string[];
  seconds?: string | number;
  json?: boolean;
}

const most = 1_000_000;
const decisions = `select a.approval_id::text, a.task_id, a.approver, a.decision, a.person_id::text,
    a.role, a.digest, to_char(a.ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ts,
    r.code, a.metadata ->> 'signature' as signature, k.key_id, k.public_key
  from approvals a join approval_requests r using (request_id)
  left join signing_keys k on k.key_id = a.metadata #>> '{signature,key_id}'
  order by a.ts, a.approval_id`;

type Row = Approval & { key_id: string | null; public_key: string | null };

/** Every decision on record against the keys that may have signed it. Each bad one is named, and one is enough to fail. */
export async function verifyApprovals(options: VerifyOptions): Promise<void> {
  const seconds = secondsOf(options.seconds);
  const since = sinceOf(options.since?.[0]);
  const answer = await askAsAuditor(decisions, most, seconds);
  if (answer.more) throw new Sentence(`There are more than ${most} decisions, too many for this.`);
  const all = records(answer) as unknown as Row[];
  const keys = await keysOf(options.publicKey, all);
  const looked = all.filter(({ ts }) => Date.parse(ts) >= since);
  const bad: (Approval & { problem: string })[] = [];
  for (const { key_id: _, public_key: __, ...approval } of looked) {
    const problem = await signatureProblem(approval, keys);
    if (problem !== null) bad.push({ ...approval, problem });
  }
  const columns = ["approval_id", "code", "approver", "decision", "ts", "problem"];
  if (options.json || bad.length > 0) showObjects(bad, columns, options.json === true);
  const older = all.length - looked.length;
  const count = `${looked.length} decisions, ${keys.size} keys${
    older > 0 ? `, ${older} older ones not looked at` : ""
  }`;
  if (bad.length > 0) throw new Sentence(`${bad.length} do not verify (${count}).`);
  if (!options.json) console.log(`All verify (${count}): ${[...keys.keys()].join(" ")}`);
}

async function keysOf(given: string[] | undefined, rows: Row[]): Promise<Keys> {
  if (given === undefined || given.length === 0) {
    return new Map(
      rows.flatMap(({ key_id, public_key }): [string, string][] =>
        key_id === null || public_key === null ? [] : [[key_id, public_key]]
      ),
    );
  }
  return new Map(
    await Promise.all(given.map(async (text): Promise<[string, string]> => {
      const bytes = fromBase64(String(text));
      if (bytes.length !== 32) throw new Sentence("A public key is the base64 of 32 bytes.");
      return [await keyIdOf(bytes), String(text)];
    })),
  );
}

function sinceOf(given: string | undefined): number {
  const since = given === undefined ? -Infinity : Date.parse(String(given));
  if (Number.isNaN(since)) throw new Sentence("--since is a day or a time, such as 2027-05-01");
  return since;
}
