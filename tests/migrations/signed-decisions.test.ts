import { describe, expect, it } from "vitest";
import { handle, openCode, signalAtGate, statusOf, update } from "../support/line.ts";
import {
  approvals,
  clock,
  db,
  decide,
  gate,
  now,
  report,
  signature,
  signed,
  yes,
} from "./signing-door.ts";

describe("a decision is refused", () => {
  it.each([null, {}, [], "signed", 1, { signature: null }, { signature: 7 }])(
    "without a signature: %j",
    async (nothing) => {
      const code = await gate();
      expect(await decide(yes(code), nothing)).toMatchObject({ refused: "signature_missing" });
      expect(await approvals(code)).toEqual([]);
    },
  );

  it("by the door for all else, which signs nothing", async () => {
    const code = await gate();
    expect(await handle(db, yes(code))).toMatchObject({ refused: "signature_missing" });
  });

  it.each<[string, Record<string, unknown>]>([
    ["request", { code: "T2-20270501-9999" }],
    ["decision", { decision: "reject" }],
    ["person", { person: "6f1c9a52-0d5e-4f0c-9d33-2b8f6f3f1a01" }],
    ["role", { role: "owner" }],
    ["digest", { digest: "ab".repeat(32) }],
    ["key that is not on record", { key_id: "0123456789abcdef" }],
    ["key without a name", { key_id: null }],
    ["signature of another length", { signature: Buffer.alloc(63, 9).toString("base64") }],
    ["signature with a second spelling", { signature: signature.replace(/.==$/, "R==") }],
    ["signature that is no base64", { signature: "?".repeat(88) }],
    ["field more", { tier: "T2" }],
    ["field less", { person: undefined }],
    ["time without its zone", { signed_at: "2027-05-01T10:00:00.000" }],
    ["time that is none", { signed_at: "2027-13-41T10:00:00.000Z" }],
    ["time that is a number", { signed_at: 1809165600 }],
    ["time missing", { signed_at: undefined }],
  ])("over another %s", async (_, more) => {
    const code = await gate();
    const value = yes(code);
    expect(await decide(value, await signed(value, more))).toMatchObject({
      refused: "signature_mismatch",
    });
    expect(await approvals(code)).toEqual([]);
  });

  it("over what another member would have said, or another request", async () => {
    const [one, two] = [await gate(), await gate()];
    const olgas = yes(one);
    const pias = yes(one, "1005");
    expect(await decide(pias, await signed(olgas))).toMatchObject({
      refused: "signature_mismatch",
    });
    const other = yes(two);
    expect(await decide(other, await signed(olgas))).toMatchObject({
      refused: "signature_mismatch",
    });
  });

  it("signed more than half a minute before or after, and taken at both edges", async () => {
    for (const [seconds, refused] of [[30.001, true], [-30.001, true], [30, false], [-30, false]]) {
      const code = await gate();
      const value = yes(code);
      const before = await signed(value);
      await clock.advance(Number(seconds));
      const answer = await decide(value, before);
      if (refused) expect(answer).toMatchObject({ refused: "signature_mismatch" });
      else expect(answer).toMatchObject({ status: "approved" });
      await clock.set(now);
    }
  });

  it("once more, with the signature of the first", async () => {
    const code = await gate();
    const value = yes(code);
    const mine = await signed(value);
    expect(await decide(value, mine)).toMatchObject({ status: "approved" });
    expect(await decide(value, mine)).toMatchObject({ outcome: "duplicate" });
    expect(await decide(yes(code), mine)).toMatchObject({ refused: "already_decided" });
    expect(await approvals(code)).toHaveLength(1);
  });

  it("where it is none", async () => {
    for (
      const intent of [
        { type: "help" },
        { type: "confirm", code: "C-1", decision: "approve" },
        {},
        null,
      ]
    ) {
      expect(await decide(update("1001", intent as never), null)).toMatchObject({
        outcome: "refused",
        refused: "invalid_request",
      });
    }
  });
});

describe("a decision", () => {
  it("keeps its signature with it, a no as well", async () => {
    const [one, two] = [await gate(), await gate()];
    const value = yes(one);
    const mine = await signed(value);
    await decide(value, mine);
    expect(await approvals(one)).toEqual([{ signature: mine }]);
    const no = update("1005", { type: "approve", code: two, decision: "reject", reason: "late" });
    const hers = await signed(no);
    expect(await decide(no, hers)).toMatchObject({ status: "rejected" });
    expect(await approvals(two)).toEqual([{ signature: hers }]);
  });

  it("by the task's id is signed over the request's code", async () => {
    const taskId = await signalAtGate(db);
    const value = yes(taskId);
    const mine = await signed(value);
    expect(mine.code).toBe(await openCode(db, taskId));
    await decide(value, mine);
    expect(await statusOf(db, taskId)).not.toBe("awaiting_approval");
  });

  it("is audited under the sender, and its refusal too", async () => {
    const code = await gate();
    await decide(yes(code), null);
    const rows = await db.owner(
      `select l.actor, l.code from public.audit_logs l join public.approval_requests r
       on l.object = 'request:' || r.request_id where r.code = $1 and l.outcome = 'refused'`,
      [code],
    );
    expect(rows).toEqual([{ actor: "operator:olga", code: "signature_missing" }]);
  });
});

describe("a signing key", () => {
  it("is refused when it is none", async () => {
    for (const odd of [null, "", "?", Buffer.alloc(31).toString("base64"), "A".repeat(42) + "B="]) {
      expect(await report(odd), String(odd)).toMatchObject({ refused: "invalid_request" });
    }
  });

  it("stays on record: no key is changed or removed, by nobody", async () => {
    for (
      const sql of [
        "update public.signing_keys set public_key = ''",
        "delete from public.signing_keys",
        "truncate public.signing_keys",
      ]
    ) {
      await expect(db.owner(sql)).rejects.toMatchObject({ code: "AGHIS" });
    }
  });

  it("is recorded once, audited, and, being another one, told to every owner", async () => {
    await report(Buffer.alloc(32, 6).toString("base64"));
    const key = Buffer.alloc(32, 8).toString("base64");
    const { key_id: id } = await report(key);
    expect(await report(key)).toEqual({ key_id: id });
    const told = await db.owner(
      `select recipient from public.notifications where payload_json ->> 'topic' = 'signing_key_added'
       and payload_json ->> 'name' = $1`,
      [id],
    );
    expect(told).toEqual([{ recipient: "1002" }]);
    const rows = await db.owner(
      "select actor, action from public.audit_logs where object = 'signing-key:' || $1",
      [id],
    );
    expect(rows).toEqual([{ actor: "telegram-webhook", action: "signing_key.report" }]);
  });

  it("that was replaced still stands for what it signed", async () => {
    const code = await gate();
    const value = yes(code);
    const mine = await signed(value);
    await report(Buffer.alloc(32, 11).toString("base64"));
    expect(await decide(value, mine)).toMatchObject({ status: "approved" });
  });
});
