import { type Answer, done, fault } from "./bot-api-wire.ts";
import { bot } from "./bot-api-chats.ts";

type Parameters = Record<string, unknown>;

export interface InviteLink {
  invite_link: string;
  chat_id: string;
  name: string;
  expire_date: number | null;
}

const place = (parameters: Parameters) => `${parameters.chat_id}/${parameters.user_id}`;

/** The groups that the bot administers: invitations, requests to join, who is in and who is banned. */
export class Groups {
  readonly links: InviteLink[] = [];
  /** `chat/user` of everybody who asked and was not answered yet. */
  readonly requests = new Set<string>();
  readonly members = new Set<string>();
  readonly banned = new Set<string>();

  /** The answer to a method of groups; null for any other method. */
  perform(method: string, parameters: Parameters): Answer | null {
    switch (method) {
      case "createchatinvitelink":
        return this.#invite(parameters);
      case "approvechatjoinrequest":
        return this.#answer(parameters, true);
      case "declinechatjoinrequest":
        return this.#answer(parameters, false);
      case "banchatmember":
        this.members.delete(place(parameters));
        this.banned.add(place(parameters));
        return done(true);
      case "unbanchatmember":
        // Without only_if_banned this puts a member out, as Telegram does.
        if (parameters.only_if_banned !== true) this.members.delete(place(parameters));
        this.banned.delete(place(parameters));
        return done(true);
      default:
        return null;
    }
  }

  #invite(parameters: Parameters): Answer {
    const { chat_id, name = "", creates_join_request, member_limit, expire_date } = parameters;
    if (!/^-\d+$/.test(String(chat_id))) return fault(400, "Bad Request: chat not found");
    if (String(name).length > 32) return fault(400, "Bad Request: invite link name is too long");
    if (creates_join_request === true && member_limit !== undefined) {
      return fault(
        400,
        "Bad Request: member limit can't be specified for links requiring approval",
      );
    }
    const link: InviteLink = {
      invite_link: `https://t.me/+test${this.links.length + 1}Link`,
      chat_id: String(chat_id),
      name: String(name),
      expire_date: expire_date === undefined ? null : Number(expire_date),
    };
    this.links.push(link);
    return done({
      ...link,
      creator: bot,
      creates_join_request: creates_join_request === true,
      is_primary: false,
      is_revoked: false,
    });
  }

  #answer(parameters: Parameters, isLetIn: boolean): Answer {
    const who = place(parameters);
    if (this.members.has(who)) return fault(400, "Bad Request: USER_ALREADY_PARTICIPANT");
    if (!this.requests.delete(who)) return fault(400, "Bad Request: HIDE_REQUESTER_MISSING");
    if (isLetIn) this.members.add(who);
    return done(true);
  }
}
