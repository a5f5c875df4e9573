import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { activate, addMember } from "../support/line.ts";
import { administer } from "../support/personas.ts";

let db: TestDatabase;
const sealed = "A".repeat(64);
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  await addMember(db, "owner", "oskar", "1002");
  await addMember(db, "operator", "udo", "1003");
  await enroll("olga");
});
afterAll(() => db.close());

const enroll = (who: string, ciphertext: string | null = sealed) =>
  administer(db, "enroll_second_factor($1, $2, 'cli:jane')", [who, ciphertext]);

describe("enrolling", () => {
  it("is refused for nobody, for somebody who left, and with what is no sealed seed", async () => {
    expect(await enroll("nobody")).toMatchObject({ refused: "not_found" });
    await addMember(db, "operator", "gone", "1009");
    await administer(db, "remove_member('gone', 'test')");
    expect(await enroll("gone")).toMatchObject({ refused: "not_found" });
    for (
      const odd of [null, "", "A".repeat(63), "A".repeat(65), "=".repeat(64), "JBSWY3DPEHPK3PXP"]
    ) {
      expect(await enroll("olga", odd), String(odd)).toMatchObject({ refused: "invalid_request" });
    }
    expect(await administer(db, "remove_second_factor('udo', 'test')")).toMatchObject({
      refused: "not_found",
    });
  });

  it("is an administrator's, and the seeds are nobody's to read", async () => {
    const denied = { code: "42501" };
    for (const role of ["service_role", "authenticated", "anon", "auditor"]) {
      await expect(db.as(role, "select api.enroll_second_factor('olga', 'x', 'x')")).rejects
        .toMatchObject(denied);
      await expect(db.as(role, "select api.remove_second_factor('olga', 'x')")).rejects
        .toMatchObject(denied);
      await expect(db.as(role, "select * from private.second_factors")).rejects
        .toMatchObject(denied);
    }
  });

  it("is audited and told to every owner, and no seed stands in either", async () => {
    const seed = "Zm9v".repeat(16);
    expect(await enroll("1003", seed)).toMatchObject({ name: "udo", replaced: false });
    expect(await administer(db, "remove_second_factor('udo', 'cli:jane')")).toMatchObject({
      second_factor: "removed",
    });
    const rows = await db.owner<{ action: string; actor: string }>(
      `select l.action, l.actor from public.audit_logs l join public.members m on l.object = 'member:' || m.member_id
       where m.name = 'udo' and l.action like 'second_factor.%' and l.outcome = 'done' order by l.id`,
    );
    expect(rows).toEqual([
      { action: "second_factor.enroll", actor: "cli:jane" },
      { action: "second_factor.remove", actor: "cli:jane" },
    ]);
    const told = await db.owner<{ topic: string; recipient: string }>(
      `select payload_json ->> 'topic' as topic, recipient from public.notifications
       where payload_json ->> 'name' = 'udo' and payload_json ->> 'topic' like 'second_factor%' order by seq`,
    );
    expect(told).toEqual([
      { topic: "second_factor_enrolled", recipient: "1002" },
      { topic: "second_factor_removed", recipient: "1002" },
    ]);
    for (const table of ["public.audit_logs", "public.notifications", "public.events"]) {
      const [{ found }] = await db.owner<{ found: number }>(
        `select count(*)::int as found from ${table} t where to_jsonb(t)::text like '%' || $1 || '%'`,
        [seed],
      );
      expect(found, table).toBe(0);
    }
  });

  it("shows in the list of members since when, and no seed", async () => {
    const members = await administer<Record<string, string>[]>(db, "list_members()");
    const listed = Object.fromEntries(members.map((one) => [one.name, one.second_factor_since]));
    expect(listed).toMatchObject({ udo: null, olga: expect.stringMatching(/^20\d\d-/) });
    expect(JSON.stringify(members)).not.toContain(sealed);
  });
});
