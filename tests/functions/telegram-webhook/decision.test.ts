import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { decisionText, type SignedDecision } from "../../../functions/_domain/signed-decision.ts";
import { toBase64 } from "../../../functions/_edge/base64.ts";
import { createSeedBox } from "../../../functions/_edge/seed-box.ts";
import { createSigner, isSignedBy } from "../../../functions/_edge/signing.ts";
import { codeOf, newSeed, stepAt } from "../../../functions/_edge/totp.ts";
import { handle, type TelegramWebhookDeps } from "../../../functions/telegram-webhook/handler.ts";
import { freezeClock, type FrozenClock } from "../../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  openCode,
  policySha256,
  runToGate,
} from "../../support/line.ts";

let store: TestDatabase;
let clock: FrozenClock;
let at: Date;
const key = (byte: number) => toBase64(new Uint8Array(32).fill(byte));
const box = createSeedBox(key(1));
const signer = createSigner(key(2));
const seeds = { olga: newSeed(), oskar: newSeed() };
const ids: Record<string, number> = { olga: 1001, oskar: 1002, udo: 1003 };

beforeAll(async () => {
  store = await openTestDatabase();
  await activate(store);
  await addMember(store, "operator", "olga", "1001");
  await addMember(store, "owner", "oskar", "1002");
  await addMember(store, "operator", "udo", "1003");
  clock = await freezeClock(store, "2027-05-01T10:00:00Z");
});
let hours = 0;
beforeEach(async () => {
  await moveTo(new Date(Date.parse("2027-05-01T10:00:00Z") + ++hours * 3_600_000));
  await enroll("olga");
  await enroll("oskar");
});
afterAll(() => store.close());

async function moveTo(moment: Date): Promise<void> {
  at = moment;
  await clock.set(moment.toISOString());
}

async function enroll(name: keyof typeof seeds, sealed?: string): Promise<void> {
  const [{ member_id }] = await store.owner<{ member_id: string }>(
    "select member_id from public.members where name = $1",
    [name],
  );
  await store.as("administrator", "select api.enroll_second_factor($1, $2, 'test')", [
    name,
    sealed ?? await box.seal(member_id, seeds[name]),
  ]);
}

const code = (name: keyof typeof seeds, steps = 0) => codeOf(seeds[name], stepAt(at) + steps);

async function trade(): Promise<string> {
  const { task_id } = await accept(
    store,
    alertEvent(`trade ${Math.random()}`, { source: "desk", action: "TRADE" }),
  );
  await runToGate(store);
  return await openCode(store, task_id as string);
}

let next = 1;
async function post(
  update: Record<string, unknown>,
  more: Partial<TelegramWebhookDeps> = {},
): Promise<Record<string, unknown>> {
  const request = new Request("http://localhost/telegram-webhook", {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": "hook-secret" },
    body: JSON.stringify(update),
  });
  const response = await handle(request, {
    database: store.database,
    secret: "hook-secret",
    username: () => Promise.resolve(null),
    channel: "telegram",
    policy_sha256: policySha256,
    signer,
    seeds: box,
    vip_chat_id: null,
    now: () => at,
    ...more,
  });
  expect(response.status).toBe(200);
  return await response.json();
}

const message = (name: string, text: string) => {
  const update_id = next++;
  const from = { id: ids[name], is_bot: false, first_name: name };
  const chat = { id: ids[name], type: "private" };
  return { update_id, message: { message_id: 500 + update_id, from, chat, date: 1, text } };
};

/** What a member types, and the row that stays of it. */
async function says(name: string, text: string, more: Partial<TelegramWebhookDeps> = {}) {
  const update = message(name, text);
  await post(update, more);
  return await rowOf(update.update_id);
}
async function rowOf(id: number): Promise<string | null> {
  const [{ code: refused }] = await store.owner<{ code: string | null }>(
    "select code from public.telegram_updates where update_id = $1",
    [String(id)],
  );
  return refused;
}

describe("a yes to T3 by message is refused", () => {
  it("without a code, with a wrong one, and with one of another half hour", async () => {
    const request = await trade();
    expect(await says("olga", `/approve ${request} yes`)).toBe("second_factor_required");
    const other = String((Number(code("olga")) + 1) % 1_000_000).padStart(6, "0");
    expect(await says("olga", `/approve ${request} yes otp:${other}`)).toBe("second_factor_wrong");
    const old = code("olga", -60);
    expect(await says("olga", `/approve ${request} yes otp:${old}`)).toBe("second_factor_wrong");
  });

  it("with another person's code", async () => {
    const request = await trade();
    expect(await says("olga", `/approve ${request} yes otp:${code("oskar")}`)).toBe(
      "second_factor_wrong",
    );
  });

  it("from a member without an authenticator, whatever code they send", async () => {
    const request = await trade();
    expect(await says("udo", `/approve ${request} yes otp:123456`)).toBe("second_factor_required");
  });

  it("where the seed does not open: another key, none, changed bytes, another member's seed", async () => {
    const request = await trade();
    const text = `/approve ${request} yes otp:${code("olga")}`;
    expect(await says("olga", text, { seeds: createSeedBox(key(9)) })).toBe(
      "second_factor_required",
    );
    expect(await says("olga", text, { seeds: null })).toBe("second_factor_required");
    await enroll("olga", "A".repeat(64));
    expect(await says("olga", text)).toBe("second_factor_required");
    await enroll("olga", await box.seal("6f1c9a52-0d5e-4f0c-9d33-2b8f6f3f1a01", seeds.olga));
    expect(await says("olga", text)).toBe("second_factor_required");
    await enroll("olga");
    expect(await says("olga", text)).toBeNull();
  });

  it("with a code that was used, also in the half minute after", async () => {
    const [first, second] = [await trade(), await trade()];
    const used = code("olga");
    expect(await says("olga", `/approve ${first} yes otp:${used}`)).toBeNull();
    expect(await says("olga", `/approve ${second} yes otp:${used}`)).toBe("second_factor_wrong");
    await moveTo(new Date(at.getTime() + 30_000));
    expect(await says("olga", `/approve ${second} yes otp:${used}`)).toBe("second_factor_wrong");
    expect(await says("olga", `/approve ${second} yes otp:${code("olga")}`)).toBeNull();
  });

  it("where the door's clock is not the database's", async () => {
    const request = await trade();
    const text = `/approve ${request} yes otp:${code("olga")}`;
    const late = () => new Date(at.getTime() + 31_000);
    expect(await says("olga", text, { now: late })).toBe("signature_mismatch");
    expect(await says("olga", text)).toBeNull();
  });

  it("where the door has no key to sign with, while everything else goes on", async () => {
    const request = await trade();
    const text = `/approve ${request} yes otp:${code("olga")}`;
    expect(await says("olga", text, { signer: null })).toBe("signature_missing");
    expect(await says("olga", "/pending", { signer: null, seeds: null })).toBeNull();
    expect(await says("olga", text)).toBeNull();
  });

  it("after a replay: the same update decides once", async () => {
    const request = await trade();
    const update = message("olga", `/approve ${request} yes otp:${code("olga")}`);
    await post(update);
    expect(await post(update)).toMatchObject({ outcome: "duplicate" });
    expect(await rowOf(update.update_id)).toBeNull();
  });
});

describe("a tapped yes to T3", () => {
  it("is answered with what to type, and decides nothing; a tapped no decides", async () => {
    const request = await trade();
    const [{ nonce }] = await store.owner<{ nonce: string }>(
      "select nonce from public.approval_requests where code = $1",
      [request],
    );
    const tap = (answer: string) => {
      const from = { id: 1001, is_bot: false, first_name: "olga" };
      const card = { message_id: 7, chat: { id: 1001, type: "private" } };
      const data = `${answer}:${nonce}`;
      return { update_id: next++, callback_query: { id: "77", from, message: card, data } };
    };
    const answer = await post(tap("y"));
    expect(answer).toMatchObject({ method: "answerCallbackQuery", callback_query_id: "77" });
    const [{ payload }] = await store.owner<{ payload: object }>(
      "select payload_json as payload from public.notifications where kind = 'reply' order by seq desc limit 1",
    );
    expect(payload).toMatchObject({ reply: "second_factor", code: request, enrolled: true });
    expect((await post(tap("n"))).text).toContain("Rejected");
  });
});

describe("a decision by message", () => {
  it("is signed over what is stored, with a key on record that verifies it", async () => {
    const request = await trade();
    expect(await says("oskar", `/approve ${request} yes otp:${code("oskar")} go`)).toBeNull();
    const [row] = await store.owner<Record<string, string> & { signature: SignedDecision }>(
      `select a.metadata -> 'signature' as signature, a.person_id, a.digest, a.reason, k.public_key
       from public.approvals a join public.approval_requests r using (request_id)
       join public.signing_keys k on k.key_id = a.metadata -> 'signature' ->> 'key_id'
       where r.code = $1`,
      [request],
    );
    const { signature } = row;
    expect(signature).toMatchObject({
      code: request,
      decision: "approve",
      person: row.person_id,
      role: "owner",
      digest: row.digest,
      signed_at: at.toISOString(),
    });
    expect(row.reason).toBe("go");
    expect(await isSignedBy(row.public_key, decisionText(signature), signature.signature)).toBe(
      true,
    );
  });

  it("is answered by a no without a code", async () => {
    const request = await trade();
    expect(await says("olga", `/approve ${request} no`)).toBeNull();
  });

  it("leaves no code anywhere, and its message is taken away", async () => {
    const request = await trade();
    const sent = code("olga");
    await says("olga", `/approve ${request} yes otp:${sent} because otp ${sent}`);
    await says("olga", `/approve ${request} maybe otp:${sent}`);
    await says("olga", `/t3 on otp:${sent}`);
    await says("olga", `/approve ${request} yes ${sent}`);
    await says("olga", `/approve ${request} yes opt:${sent}`);
    await says("olga", `/confirm C-AB234567 yes ${sent}`);
    await says("olga", `/t3 on ${sent}`);
    for (
      const table of [
        "public.telegram_updates",
        "public.audit_logs",
        "public.approvals",
        "public.notifications",
        "public.events",
        "private.second_factors",
      ]
    ) {
      const [{ found }] = await store.owner<{ found: number }>(
        `select count(*)::int as found from ${table} t where to_jsonb(t)::text like '%' || $1 || '%'`,
        [sent],
      );
      expect(found, table).toBe(0);
    }
    const taken = await store.owner<{ recipient: string }>(
      "select recipient from public.notifications where kind = 'deletion' and recipient = '1001' and status = 'queued'",
    );
    expect(taken.length).toBeGreaterThanOrEqual(7);
  });
});
