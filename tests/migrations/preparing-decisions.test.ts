import { describe, expect, it } from "vitest";
import { handle, update } from "../support/line.ts";
import { approvals, db, decide, gate, key_id, prepare, signed, yes } from "./signing-door.ts";

describe("preparing", () => {
  const nothing = { subject: null, second_factor: null, required: false };

  it("says nothing to strangers, from elsewhere than the private chat, and about unknown requests", async () => {
    const code = await gate();
    expect(await prepare(yes(code, "9999"))).toMatchObject(nothing);
    expect(await prepare(yes(code, "1001", { chat_id: "-100123" }))).toMatchObject(nothing);
    expect(await prepare(yes("T2-20270501-9999"))).toMatchObject(nothing);
    for (const odd of [null, {}, { from_id: "1001" }, { intent: 1 }]) {
      expect(await prepare(odd)).toMatchObject(nothing);
    }
  });

  it("changes nothing, and is the service role's alone", async () => {
    const code = await gate();
    const audited = () => db.owner("select count(*) as n from public.audit_logs");
    const before = await audited();
    await prepare(yes(code));
    expect(await audited()).toEqual(before);
    for (const role of ["anon", "authenticated", "auditor", "administrator"]) {
      for (
        const call of ["prepare_decision('{}')", "decide('{}', null)", "report_signing_key('')"]
      ) {
        await expect(db.as(role, `select api.${call}`)).rejects.toMatchObject({ code: "42501" });
      }
    }
  });

  it("names the request, the person in their role, the digest, the tier and the keys on record", async () => {
    const code = await gate();
    const [{ person_id, digest }] = await db.owner(
      `select m.person_id, r.digest from public.members m, public.approval_requests r
       where m.name = 'olga' and r.code = $1`,
      [code],
    );
    expect(await prepare(yes(code))).toEqual({
      subject: { code, person_id, role: "operator", digest, tier: "T2" },
      second_factor: null,
      required: false,
      signing_keys: [key_id],
    });
  });

  it("finds the request by its button, and the sealed seed of the sender", async () => {
    const code = await gate();
    await db.as("administrator", "select api.enroll_second_factor('olga', $1, 'test')", [
      "A".repeat(64),
    ]);
    const [{ nonce }] = await db.owner(
      "select nonce from public.approval_requests where code = $1",
      [code],
    );
    const [{ member_id }] = await db.owner(
      "select member_id from public.members where name = 'olga'",
    );
    expect(await prepare(update("1001", { type: "button", nonce, decision: "approve" })))
      .toMatchObject({
        subject: { code },
        second_factor: { member_id, ciphertext: "A".repeat(64) },
      });
  });

  it("asks for a code where a command demands it, and not for the safe way", async () => {
    const asks = async (intent: Record<string, unknown>) =>
      (await prepare(update("1001", intent))).required;
    expect(await asks({ type: "confirm", code: "C-7K3M4Q", decision: "approve" })).toBe(true);
    expect(await asks({ type: "confirm", code: "C-7K3M4Q", decision: "reject" })).toBe(false);
    expect(await asks({ type: "t3", state: "on" })).toBe(true);
    expect(await asks({ type: "t3", state: "off" })).toBe(false);
    expect(await asks({ type: "stop", scope: "all" })).toBe(false);
  });
});

describe("a message with a code", () => {
  const proof = { holds_code: true };
  const receipt = { receipt: { message_id: "512" } };
  const deletions = () =>
    db.owner<{ recipient: string; message_id: string }>(
      "select recipient, payload_json ->> 'message_id' as message_id from public.notifications where kind = 'deletion' order by seq",
    );

  it("stays where there is none: no code, no message, no chat of the sender's, no Telegram, no member", async () => {
    const before = await deletions();
    const code = await gate();
    await decide(yes(code, "1001", receipt), null);
    await decide(yes(code, "1001", proof), null);
    await decide(yes(code, "1001", { ...proof, receipt: { message_id: "console-1" } }), null);
    await decide(yes(code, "1001", { ...proof, ...receipt, chat_id: "-100123" }), null);
    await decide(yes(code, "1001", { ...proof, ...receipt, channel: "local-simulated" }), null);
    await handle(db, update("9999", { type: "usage" }, { ...proof, ...receipt }));
    expect(await deletions()).toEqual(before);
  });

  it("is taken away, whatever came of it, and once", async () => {
    const code = await gate();
    const value = yes(code, "1001", { ...proof, ...receipt });
    await decide(value, null);
    await decide(value, null);
    await handle(
      db,
      update("1001", { type: "help" }, { ...proof, receipt: { message_id: "513" } }),
    );
    expect(await deletions()).toEqual([
      { recipient: "1001", message_id: "512" },
      { recipient: "1001", message_id: "513" },
    ]);
  });

  it("leaves no code in the row of the update, even where a door let one through", async () => {
    const value = update("1001", { type: "t3", state: "on", otp: "135790" });
    await handle(db, value);
    const [row] = await db.owner<{ intent: object }>(
      "select intent from public.telegram_updates where update_id = $1",
      [value.update_id],
    );
    expect(row.intent).toEqual({ type: "t3", state: "on" });
  });
});

describe("a tapped yes that needs a code", () => {
  it("is told to type it, as a message and in the answer of the button, and decides nothing", async () => {
    await db.owner(
      `update public.policies set body = jsonb_set(body, '{second_factor,required}', '["T2"]') where status = 'active'`,
    );
    const code = await gate();
    const [{ nonce }] = await db.owner(
      "select nonce from public.approval_requests where code = $1",
      [code],
    );
    const tap = (from: string) => update(from, { type: "button", nonce, decision: "approve" });
    for (const [from, enrolled] of [["1001", true], ["1005", false]] as const) {
      const value = tap(from);
      const answer = await decide(value, await signed(value));
      const told = { reply: "second_factor", refused: "second_factor_required", code, enrolled };
      expect(answer).toMatchObject({ ...told, callback_answer: told });
      const [{ payload }] = await db.owner<{ payload: object }>(
        "select payload_json as payload from public.notifications where kind = 'reply' and recipient = $1 order by seq desc limit 1",
        [from],
      );
      expect(payload).toMatchObject(told);
    }
    expect(await approvals(code)).toEqual([]);
  });
});
