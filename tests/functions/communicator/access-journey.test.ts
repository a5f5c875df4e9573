import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { telegramMembership } from "../../../functions/_channels/telegram-membership.ts";
import { grantAccess } from "../../../functions/communicator/access-effect.ts";
import { membershipChores } from "../../../functions/communicator/membership.ts";
import { freely } from "../../support/outside.ts";
import { BotApi } from "../../support/bot-api.ts";
import { freezeClock, type FrozenClock } from "../../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { asksToJoin } from "../../support/joining.ts";
import { policySha256 } from "../../support/line.ts";
import { approvedAccess, checked, openHouse, quote, vipChat } from "../../support/payments.ts";

let db: TestDatabase;
let api: BotApi;
let clock: FrozenClock;
let membership: ReturnType<typeof telegramMembership>;
const buyer = "883001";
const place = (user: string) => `${vipChat}/${user}`;

beforeAll(async () => {
  db = await openTestDatabase();
  clock = await freezeClock(db, "2026-11-22T10:00:00.000Z");
  await openHouse(db);
  await checked(db, buyer);
  api = await BotApi.start();
  membership = telegramMembership({ token: api.token, api_root: api.root, timeout_seconds: 1.5 });
});
afterAll(async () => {
  await api?.close();
  await db?.close();
});

/** Carries out what waits at the door, as the communicator does; answers the kinds that were carried out. */
async function workTheDoor(): Promise<string[]> {
  const claimed = await db.database.call<
    { notification_id: string; kind: string; payload: unknown; attempt: number }[]
  >("claim_notifications", { p_worker: "test", p_limit: 50 });
  const done: string[] = [];
  for (const { notification_id, kind, payload, attempt } of claimed) {
    if (!Object.hasOwn(membershipChores, kind)) continue;
    const chore = membershipChores[kind as keyof typeof membershipChores];
    const delivery = await chore({ membership }, null, payload);
    done.push(kind);
    await db.database.call("complete_notifications", {
      p_results: [{ notification_id, attempt, channel: "telegram", ...delivery }],
    });
  }
  return done;
}

describe("a paid access from the approval to its end", () => {
  it("makes one link that names the task, and lets nobody in by itself", async () => {
    const { work, taskId } = await approvedAccess(db, buyer);
    await grantAccess({
      database: db.database,
      membership,
      vip_chat_id: vipChat,
      breakers: freely,
      refresh_quote: async () => void await quote(db, "3.2"),
      now: () => new Date(),
      policy_sha256: policySha256,
    }, work);
    expect(api.groups.links).toMatchObject([{ chat_id: vipChat, name: `${taskId} vip-30` }]);
    expect(api.groups.members.size).toBe(0);
    const [effect] = await db.owner(
      "select kind, channel, status, destination, receipt_json ->> 'invite_link' as link from public.effects where task_id = $1",
      [taskId],
    );
    expect(effect).toEqual({
      kind: "access",
      channel: "telegram",
      status: "confirmed",
      destination: vipChat,
      link: api.groups.links[0].invite_link,
    });
  });

  it("refuses whoever else found the link, and lets the buyer in", async () => {
    await asksToJoin(db, api, "889999");
    await asksToJoin(db, api, buyer);
    expect(api.groups.requests.size).toBe(2);
    expect((await workTheDoor()).sort()).toEqual(["join_approval", "join_refusal"]);
    expect([...api.groups.members]).toEqual([place(buyer)]);
    expect(api.called("declineChatJoinRequest")).toHaveLength(1);
  });

  it("lets nobody in while a stop stands, and the buyer once it is over", async () => {
    api.groups.members.delete(place(buyer));
    await db.owner("update public.emergency_stops set state = 'stopped' where scope = 't3'");
    await asksToJoin(db, api, buyer);
    expect(await workTheDoor()).toEqual([]);
    await db.owner("update public.emergency_stops set state = 'running' where scope = 't3'");
    expect(await workTheDoor()).toEqual(["join_approval"]);
    expect([...api.groups.members]).toEqual([place(buyer)]);
  });

  it("puts the buyer out at the end, once, and leaves the way back open", async () => {
    await clock.advance(30 * 86_400);
    for (let run = 0; run < 3; run++) {
      await db.database.call("sweep");
      await workTheDoor();
      await clock.advance(60);
    }
    expect(api.called("banChatMember")).toHaveLength(1);
    expect([api.groups.members.size, api.groups.banned.size]).toEqual([0, 0]);
    const [row] = await db.owner<{ status: string; removed: boolean }>(
      "select status, removed_at is not null as removed from public.user_subscriptions where user_ref = $1",
      [`telegram:${buyer}`],
    );
    expect(row).toEqual({ status: "expired", removed: true });
    await asksToJoin(db, api, buyer);
    expect(await workTheDoor()).toEqual(["join_refusal"]);
  });
});
