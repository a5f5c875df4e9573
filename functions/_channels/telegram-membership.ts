import { Api } from "grammy/web";
import type { Delivery } from "../_domain/notification.ts";
import { deliver, once, type TelegramOptions } from "./telegram.ts";

const defaultTimeoutSeconds = 10;

/** Somebody at a door. */
export interface AtDoor {
  chat_id: string;
  user_id: string;
}

/** Who may be in a group. Outcomes as for messages; of an invitation `message_id` is the link. */
export interface Membership {
  /** A link whose users are asked in one by one. */
  invite(invitation: { chat_id: string; name: string; expires_at: Date }): Promise<Delivery>;
  approve(who: AtDoor): Promise<Delivery>;
  decline(who: AtDoor): Promise<Delivery>;
  /** Out, and free to come back once they are let in again. */
  remove(who: AtDoor): Promise<Delivery>;
}

// What Telegram says where there is nothing left to do: the call that did it was not seen.
const alreadyIn = ["USER_ALREADY_PARTICIPANT"];
const noRequest = ["HIDE_REQUESTER_MISSING"];
const notThere = ["PARTICIPANT_ID_INVALID", "USER_NOT_PARTICIPANT"];

function unless(words: string[], delivery: Delivery): Delivery {
  const isDone = delivery.outcome === "failed" &&
    words.some((word) => delivery.error.includes(word));
  return isDone ? { outcome: "sent", message_id: "done" } : delivery;
}

const done = async (call: Promise<unknown>): Promise<string> => {
  await call;
  return "done";
};

/** A user's id as Telegram's methods take it; a rounded one would be somebody else. */
async function withUser(
  { user_id }: AtDoor,
  act: (user: number) => Promise<Delivery>,
): Promise<Delivery> {
  const user = Number(user_id);
  if (!Number.isSafeInteger(user)) return { outcome: "failed", error: "no such account" };
  return await act(user);
}

export function telegramMembership(options: TelegramOptions): Membership {
  const api = new Api(options.token, {
    apiRoot: options.api_root.replace(/\/+$/, ""),
    timeoutSeconds: options.timeout_seconds ?? defaultTimeoutSeconds,
    fetch: once(options.fetch ?? fetch),
  });
  return {
    invite: ({ chat_id, name, expires_at }) =>
      deliver(async () =>
        (await api.createChatInviteLink(chat_id, {
          name,
          creates_join_request: true,
          expire_date: Math.floor(expires_at.getTime() / 1000),
        })).invite_link
      ),
    approve: (who) =>
      withUser(who, async (user) =>
        unless(
          [...alreadyIn, ...noRequest],
          await deliver(() => done(api.approveChatJoinRequest(who.chat_id, user))),
        )),
    decline: (who) =>
      withUser(who, async (user) =>
        unless(
          noRequest,
          await deliver(() => done(api.declineChatJoinRequest(who.chat_id, user))),
        )),
    remove: (who) =>
      withUser(who, async (user) => {
        const banned = unless(
          notThere,
          await deliver(() => done(api.banChatMember(who.chat_id, user))),
        );
        if (banned.outcome !== "sent") return banned;
        // Only whoever is banned: unbanning a member would put them out as well.
        return await deliver(() =>
          done(api.unbanChatMember(who.chat_id, user, { only_if_banned: true }))
        );
      }),
  };
}
