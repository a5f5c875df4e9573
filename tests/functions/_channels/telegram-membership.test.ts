import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Membership,
  telegramMembership,
} from "../../../functions/_channels/telegram-membership.ts";
import { BotApi } from "../../support/bot-api.ts";

let api: BotApi;
let membership: Membership;
const chat_id = "-1003000000001";
const who = { chat_id, user_id: "880001" };
const place = `${chat_id}/880001`;
const expires_at = new Date("2026-12-01T10:00:00Z");

beforeEach(async () => {
  api = await BotApi.start();
  membership = telegramMembership({ token: api.token, api_root: api.root, timeout_seconds: 1.5 });
});
afterEach(() => api.close());

const invite = () => membership.invite({ chat_id, name: "T-2026-11-21-0001 vip-30", expires_at });

describe("membership", () => {
  it("does not know what became of an invitation whose answer was not seen", async () => {
    for (
      const how of [{ as: "hang", done: true }, { as: "reset_after" }, { as: "bad_gateway" }, {
        as: "server_error",
      }] as const
    ) {
      api.misbehaves("createChatInviteLink", how);
      expect((await invite()).outcome).toBe("unknown");
    }
    expect(api.called("createChatInviteLink")).toHaveLength(4);
  });

  it("waits as long as Telegram says, and where nothing was reached", async () => {
    api.misbehaves("createChatInviteLink", { as: "too_many_requests", retry_after: 7 });
    expect(await invite()).toMatchObject({ outcome: "retry", retry_after: 7 });
    await api.refuseConnections();
    expect((await invite()).outcome).toBe("retry");
  });

  it("fails where the group refuses the bot, without the token in the words", async () => {
    api.misbehaves("createChatInviteLink", { as: "bad_request", description: "Bad Request: no" });
    const refused = await invite();
    expect(refused.outcome).toBe("failed");
    expect(JSON.stringify(refused)).not.toContain(api.token);
  });

  it("makes a link whose users are asked in one by one, with a name and an end", async () => {
    expect(await invite()).toEqual({ outcome: "sent", message_id: "https://t.me/+test1Link" });
    expect(api.called("createChatInviteLink")[0].parameters).toEqual({
      chat_id,
      name: "T-2026-11-21-0001 vip-30",
      creates_join_request: true,
      expire_date: 1796119200,
    });
  });

  it("lets in and refuses once; a second time changes nothing and is no failure", async () => {
    api.groups.requests.add(place);
    for (let time = 0; time < 2; time++) {
      expect((await membership.approve(who)).outcome).toBe("sent");
    }
    expect([...api.groups.members]).toEqual([place]);
    const other = { chat_id, user_id: "990009" };
    api.groups.requests.add(`${chat_id}/990009`);
    for (let time = 0; time < 2; time++) {
      expect((await membership.decline(other)).outcome).toBe("sent");
    }
    expect([...api.groups.members]).toEqual([place]);
  });

  it("puts out and leaves the way back open, however often it is asked to", async () => {
    api.groups.members.add(place);
    for (let time = 0; time < 2; time++) {
      expect((await membership.remove(who)).outcome).toBe("sent");
    }
    expect([api.groups.members.size, api.groups.banned.size]).toEqual([0, 0]);
    expect(api.called("unbanChatMember")[0].parameters).toMatchObject({ only_if_banned: true });
  });

  it("tells when only half of a removal was done, so that it is done again", async () => {
    api.groups.members.add(place);
    api.misbehaves("unbanChatMember", { as: "too_many_requests", retry_after: 3 });
    expect(await membership.remove(who)).toMatchObject({ outcome: "retry" });
    expect([...api.groups.banned]).toEqual([place]);
    expect((await membership.remove(who)).outcome).toBe("sent");
    expect(api.groups.banned.size).toBe(0);
  });

  it("touches nobody whose id would be rounded to another's", async () => {
    const rounded = { chat_id, user_id: "9007199254740993" };
    for (const act of [membership.approve, membership.decline, membership.remove]) {
      expect((await act(rounded)).outcome).toBe("failed");
    }
    expect(api.calls).toEqual([]);
  });
});
