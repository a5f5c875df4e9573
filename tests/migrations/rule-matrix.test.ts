import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  activate,
  addMember,
  type Answer,
  decide,
  decideUpdate,
  handle,
  openCode,
  policySha256,
  signalAtGate,
  update,
} from "../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  clock = await freezeClock(db, "2027-05-01T10:00:00Z");
  await activate(db);
  const { person_id } = await addMember(db, "operator", "olga", "1001");
  await addMember(db, "operator", "olga-tablet", "1021", String(person_id));
  await addMember(db, "owner", "otis", "1002");
  await addMember(db, "operator", "otto", "1003");
  await addMember(db, "reviewer", "rita", "1004");
});
afterAll(() => db.close());

const nonceOf = async (code: string): Promise<string> =>
  (await db.owner<{ nonce: string }>("select nonce from public.approval_requests where code = $1", [
    code,
  ]))[0].nonce;

/** Every way in which a yes can arrive at the database; the last two are doors that take no decision at all. */
const doors: Record<string, (from: string, code: string) => Promise<Answer>> = {
  "a typed command": (from, code) => decide(db, from, code),
  "a tapped button": async (from, code) =>
    decideUpdate(
      db,
      update(from, { type: "button", nonce: await nonceOf(code), decision: "approve" }),
    ),
  "a command at the door for everything else": (from, code) =>
    handle(db, update(from, { type: "approve", code, decision: "approve", reason: null })),
  "a button at the door for everything else": async (from, code) =>
    handle(db, update(from, { type: "button", nonce: await nonceOf(code), decision: "approve" })),
};

const yeses = (taskId: string) =>
  db.owner<{ approver: string }>(
    "select approver from public.approvals where task_id = $1 and decision = 'approve' order by ts",
    [taskId],
  );

/** A T2 that needs an operator and an owner, so that there is a second yes to refuse. */
async function twoSlots(): Promise<{ taskId: string; code: string }> {
  const taskId = await signalAtGate(db);
  return { taskId, code: await openCode(db, taskId) };
}

const rules: Record<
  string,
  { refused: string[]; arrange(): Promise<{ taskId: string; code: string; from: string }> }
> = {
  "the person who asked": {
    refused: ["self_approval"],
    async arrange() {
      const taskId = await signalAtGate(db, { actor: "telegram:1001" });
      return { taskId, code: await openCode(db, taskId), from: "1001" };
    },
  },
  "the other account of the person who asked": {
    refused: ["self_approval"],
    async arrange() {
      const taskId = await signalAtGate(db, { actor: "telegram:1001" });
      return { taskId, code: await openCode(db, taskId), from: "1021" };
    },
  },
  "a role that fills no slot": {
    refused: ["wrong_role"],
    arrange: async () => ({ ...(await twoSlots()), from: "1002" }),
  },
  "a reviewer": {
    refused: ["wrong_role"],
    arrange: async () => ({ ...(await twoSlots()), from: "1004" }),
  },
  "a stranger, an agent's or a machine's account": {
    refused: ["not_a_member"],
    arrange: async () => ({ ...(await twoSlots()), from: "777000" }),
  },
  "somebody who was removed": {
    refused: ["not_a_member"],
    async arrange() {
      await addMember(db, "operator", "gone", "1009");
      await db.as("administrator", "select api.remove_member('gone', 'test')");
      return { ...(await twoSlots()), from: "1009" };
    },
  },
  "an answer that comes too late": {
    refused: ["request_expired"],
    async arrange() {
      const asked = await twoSlots();
      await clock.advance(15 * 60);
      return { ...asked, from: "1003" };
    },
  },
  "an answer to what was replaced": {
    refused: ["digest_drift", "request_closed"],
    async arrange() {
      const asked = await twoSlots();
      await db.owner("update public.tasks set goal = 'Something else' where task_id = $1", [
        asked.taskId,
      ]);
      return { ...asked, from: "1003" };
    },
  },
  "an answer to what is decided": {
    refused: ["request_closed"],
    async arrange() {
      const asked = await twoSlots();
      await decide(db, "1001", asked.code);
      await db.owner("delete from private.rate_buckets");
      return { ...asked, from: "1003" };
    },
  },
  "the same person twice": {
    refused: ["already_decided"],
    async arrange() {
      const asked = await twoSlots();
      await decide(db, "1001", asked.code);
      return { ...asked, from: "1001" };
    },
  },
};

describe.each(Object.entries(doors))("through %s", (_door, knock) => {
  it.each(Object.entries(rules))(
    "%s gets no yes on record",
    async (_rule, { refused, arrange }) => {
      const { taskId, code, from } = await arrange();
      const before = await yeses(taskId);
      const answer = await knock(from, code);
      expect([...refused, "signature_missing"]).toContain(answer.refused);
      expect(await yeses(taskId)).toEqual(before);
      expect(await db.owner("select 1 from public.effects where task_id = $1", [taskId])).toEqual(
        [],
      );
    },
  );
});

describe("at the door for everything else", () => {
  it.each(Object.entries(doors).slice(2))(
    "not even the right person's yes counts: %s",
    async (_door, knock) => {
      const { taskId, code } = await twoSlots();
      expect(await knock("1003", code)).toMatchObject({ refused: "signature_missing" });
      expect(await yeses(taskId)).toEqual([]);
    },
  );
});

describe("a decision that is replayed", () => {
  it("under its own update id is no second one", async () => {
    const { taskId, code } = await twoSlots();
    const value = update("1003", { type: "approve", code, decision: "approve", reason: null });
    expect(await decideUpdate(db, value)).toMatchObject({ status: "approved" });
    expect(await decideUpdate(db, value)).toEqual({ outcome: "duplicate" });
    expect(await yeses(taskId)).toEqual([{ approver: "otto" }]);
  });
});

describe("without any door", () => {
  const forged =
    `insert into public.approvals (task_id, step_id, tier, approver, decision, request_id, member_id, person_id, role, digest)
    select r.task_id, r.step_id, r.tier, m.name, 'approve', r.request_id, m.member_id, m.person_id, m.role, r.digest
    from public.approval_requests r, public.members m where r.code = $1 and m.name = 'otto'`;

  it.each(["service_role", "administrator", "auditor", "authenticated", "anon"])(
    "%s cannot write a yes, an approved request or an effect",
    async (role) => {
      const { taskId, code } = await twoSlots();
      for (
        const statement of [
          forged,
          "update public.approval_requests set status = 'approved' where code = $1",
          "insert into public.effects (task_id, kind, channel, idempotency_key, payload_json) select task_id, 'publish', 'telegram', 'x', '{}' from public.approval_requests where code = $1",
          "select private.settle_request(r) from public.approval_requests r where r.code = $1",
        ]
      ) {
        await expect(db.as(role, statement, [code])).rejects.toThrow(/permission denied/);
      }
      expect(await yeses(taskId)).toEqual([]);
      expect(policySha256).toHaveLength(64);
    },
  );
});
