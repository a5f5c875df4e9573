// A person's yes as the door hands it on: signed over what the database says, with a right code where the tier asks for one.
import { createHash, generateKeyPairSync, sign } from "node:crypto";

export const sha256 = (value) => createHash("sha256").update(value).digest("hex");

export function unlessRefused(answer, what) {
  const refused = [answer].flat().find(({ refused }) => refused);
  if (refused) throw new Error(`${what} was refused: ${JSON.stringify(refused)}`);
  return answer;
}

function signer() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const key_id = sha256(raw).slice(0, 16);
  return {
    publicKey: raw.toString("base64"),
    sign({ code, digest, person_id: person, role }) {
      const fields = {
        code,
        decision: "approve",
        digest,
        person,
        role,
        signed_at: new Date().toISOString(),
      };
      const signature = sign(null, Buffer.from(JSON.stringify(fields)), privateKey).toString(
        "base64",
      );
      return { ...fields, key_id, signature };
    },
  };
}

/** So many members of a role that none of them sends more than sixty commands a minute; their Telegram ids begin at `first`. */
export async function addMembers(scratch, role, count, first) {
  const ids = Array.from({ length: Math.ceil(count / 50) }, (_, i) => String(first + i));
  for (const id of ids) {
    const p_member = { role, name: `${role}-${id}`, telegram_user_id: id };
    unlessRefused(
      await scratch.call("add_member", { p_member, p_actor: "test:stop" }, "administrator"),
      "a member",
    );
  }
  return ids;
}

/** A code is good once in half a minute; for a harness that says yes more often, the store forgets the last one. */
async function freshCode(scratch, telegramId) {
  const [{ step }] = await scratch.owner(
    `insert into private.second_factors (member_id, ciphertext, enrolled_by)
     select m.member_id, repeat('A', 64), 'test' from public.members m
     where m.telegram_user_id = $1 and m.status = 'active'
     on conflict (member_id) do update set last_step = null
     returning floor(extract(epoch from private.now()) / 30)::int as step`,
    [telegramId],
  );
  return { valid: true, step };
}

/** Returns `approve(from, code)` under a key that the database knows from now on. */
export async function openDecisions(scratch, policySha256) {
  const key = signer();
  await scratch.call("report_signing_key", { p_public_key: key.publicKey });
  let updates = 0;
  return async function approve(from, code) {
    const p_update = {
      update_id: String(++updates),
      kind: "message",
      from_id: from,
      chat_id: from,
      channel: "telegram",
      receipt: {},
      intent: { type: "approve", code, decision: "approve", reason: null },
      policy_sha256: policySha256,
    };
    const { subject, required } = await scratch.call("prepare_decision", { p_update });
    if (required) p_update.second_factor = await freshCode(scratch, from);
    return unlessRefused(
      await scratch.call("decide", { p_update, p_signed: key.sign(subject) }),
      "a decision",
    );
  };
}
