import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  activate,
  addMember,
  type Answer,
  openCode,
  signalAtGate,
  update,
} from "../support/line.ts";

/** A database with members and a clock that stands still, and what the door says to it, with words of the test's own. */
export let db: TestDatabase;
export let clock: FrozenClock;
export const now = "2027-05-01T10:00:00.000Z";
const publicKey = Buffer.alloc(32, 7);
export const key_id = createHash("sha256").update(publicKey).digest("hex").slice(0, 16);
export const signature = Buffer.alloc(64, 9).toString("base64");

beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  await addMember(db, "owner", "oskar", "1002");
  await addMember(db, "reviewer", "rita", "1003");
  await addMember(db, "operator", "pia", "1005");
  await report(publicKey.toString("base64"));
  clock = await freezeClock(db, now);
});
beforeEach(() => clock.set(now));
afterAll(() => db.close());

export const report = (key: unknown): Promise<Answer> =>
  db.database.call("report_signing_key", { p_public_key: key });
export const prepare = (value: unknown): Promise<Answer> =>
  db.database.call("prepare_decision", { p_update: value });
export const decide = (value: unknown, signed: unknown): Promise<Answer> =>
  db.database.call("decide", { p_update: value, p_signed: signed });
export const gate = async () => await openCode(db, await signalAtGate(db));
export const yes = (code: string, from = "1001", more: Record<string, unknown> = {}) =>
  update(from, { type: "approve", code, decision: "approve", reason: null }, more);

/** What the door would sign for this update, with fields of the test's own. */
export async function signed(
  value: ReturnType<typeof update>,
  more: Record<string, unknown> = {},
) {
  const { subject } = await prepare(value) as { subject: Record<string, string> };
  return {
    code: subject.code,
    decision: (value.intent as Record<string, string>).decision,
    person: subject.person_id,
    role: subject.role,
    digest: subject.digest,
    signed_at: now,
    signature,
    key_id,
    ...more,
  };
}

export const approvals = async (code: string) =>
  await db.owner<{ signature: Record<string, string> }>(
    `select a.metadata -> 'signature' as signature from public.approvals a
     join public.approval_requests r using (request_id) where r.code = $1`,
    [code],
  );
