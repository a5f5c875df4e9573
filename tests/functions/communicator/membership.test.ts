import { describe, expect, it } from "vitest";
import type { AtDoor, Membership } from "../../../functions/_channels/telegram-membership.ts";
import type { Delivery } from "../../../functions/_domain/notification.ts";
import { membershipChores } from "../../../functions/communicator/membership.ts";

const kinds = ["join_approval", "join_refusal", "removal"] as const;
const who = { chat_id: "-1003000000001", user_id: "880001" };

function door(outcome: Delivery = { outcome: "sent", message_id: "done" }) {
  const acts: [act: string, who: AtDoor][] = [];
  const act = (name: string) => (whom: AtDoor) => {
    acts.push([name, whom]);
    return Promise.resolve(outcome);
  };
  const membership: Membership = {
    invite: () => Promise.reject(new Error("nobody asked for a link")),
    approve: act("approve"),
    decline: act("decline"),
    remove: act("remove"),
  };
  return { membership, acts };
}

describe("chores at the door", () => {
  it.each([
    ["nothing", null],
    ["no account", { chat_id: who.chat_id }],
    ["a name for an account", { ...who, user_id: "@somebody" }],
    ["an account that is a number", { ...who, user_id: 880001 }],
    ["a chat that is a word", { ...who, chat_id: "vip" }],
  ])("refuse a payload with %s and touch nobody", async (_, payload) => {
    for (const kind of kinds) {
      const { membership, acts } = door();
      expect(await membershipChores[kind]({ membership }, null, payload)).toMatchObject({
        outcome: "failed",
      });
      expect(acts).toEqual([]);
    }
  });

  it("wait where there is no bot", async () => {
    for (const kind of kinds) {
      expect(await membershipChores[kind]({ membership: null }, null, who)).toMatchObject({
        outcome: "retry",
        retry_after: 300,
      });
    }
  });

  it("call a group that refuses the bot a failure: no person is unreachable by it", async () => {
    const { membership } = door({ outcome: "blocked", error: "403" });
    expect(await membershipChores.removal({ membership }, null, who)).toEqual({
      outcome: "failed",
      error: "403",
    });
  });

  it("do to one account at one door what their name says", async () => {
    const { membership, acts } = door();
    for (const kind of kinds) {
      await membershipChores[kind]({ membership }, null, { ...who, subscription_id: "s" });
    }
    expect(acts).toEqual([["approve", who], ["decline", who], ["remove", who]]);
  });
});
