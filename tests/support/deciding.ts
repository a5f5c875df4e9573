import { createHash, generateKeyPairSync, sign as signWith } from "node:crypto";
import type { TestDatabase } from "./database.ts";
import { type Answer, policySha256 } from "./line.ts";

let updates = 1000;
/** One update as the webhook's handler hands it on, from a person's private chat. */
export const update = (
  from: string,
  intent: Record<string, unknown>,
  more: Record<string, unknown> = {},
) => ({
  update_id: String(updates++),
  kind: "message",
  from_id: from,
  chat_id: from,
  intent,
  channel: "telegram",
  receipt: {},
  policy_sha256: policySha256,
  ...more,
});

export const handle = (db: TestDatabase, value: Record<string, unknown>): Promise<Answer> =>
  db.database.call<Answer>("handle_update", { p_update: value });

interface Subject {
  code: string;
  person_id: string;
  role: string;
  digest: string;
}

// One key for every test of this process. What the database checks of a signature is what it says, not its mathematics.
const key = generateKeyPairSync("ed25519");
const publicKey = key.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
const keyId = createHash("sha256").update(publicKey).digest("hex").slice(0, 16);

async function sign(db: TestDatabase, subject: Subject, decision: string): Promise<unknown> {
  await db.database.call("report_signing_key", { p_public_key: publicKey.toString("base64") });
  const [{ now }] = await db.owner<{ now: string }>("select private.iso(private.now()) as now");
  const { code, person_id: person, role, digest } = subject;
  const fields = { code, decision, digest, person, role, signed_at: now };
  const signature = signWith(null, Buffer.from(JSON.stringify(fields)), key.privateKey);
  return { ...fields, key_id: keyId, signature: signature.toString("base64") };
}

/** A right code of this member's authenticator, never used before; the member is enrolled on the way. */
export async function secondFactor(db: TestDatabase, telegram: string): Promise<unknown> {
  const [row] = await db.owner<{ step: string }>(
    `insert into private.second_factors (member_id, ciphertext, enrolled_by)
     select m.member_id, repeat('A', 64), 'test' from public.members m
     where m.telegram_user_id = $1 and m.status = 'active'
     on conflict (member_id) do update set last_step = null, wrong_at = '{}', ciphertext = excluded.ciphertext
     returning floor(extract(epoch from private.now()) / 30)::text as step`,
    [telegram],
  );
  return row ? { valid: true, step: Number(row.step) } : null;
}

/** A decision as the door hands it on: signed over what the database says, with a right code where the tier asks for one. */
export async function decide(
  db: TestDatabase,
  from: string,
  code: string,
  decision: "approve" | "reject" = "approve",
  more: Record<string, unknown> = {},
): Promise<Answer> {
  const value = update(from, { type: "approve", code, decision, reason: null }, more);
  return await decideUpdate(db, value);
}

export async function decideUpdate(
  db: TestDatabase,
  value: ReturnType<typeof update>,
): Promise<Answer> {
  const { subject, required } = await db.database.call<
    { subject: Subject | null; required: boolean }
  >("prepare_decision", { p_update: value });
  const proof = required && !("second_factor" in value)
    ? { second_factor: await secondFactor(db, value.from_id) }
    : {};
  const intent = value.intent as { decision?: string };
  return await db.database.call<Answer>("decide", {
    p_update: { ...value, ...proof },
    p_signed: subject ? await sign(db, subject, String(intent.decision)) : null,
  });
}
