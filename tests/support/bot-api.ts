import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { bot, Chats } from "./bot-api-chats.ts";
import { Groups } from "./bot-api-groups.ts";
import { Person } from "./bot-api-person.ts";
import { Updates } from "./bot-api-updates.ts";
import {
  type Answer,
  done,
  fault,
  misbehave,
  type Misbehaviour,
  readParameters,
  readText,
  writeAnswer,
} from "./bot-api-wire.ts";

export interface Call {
  method: string;
  parameters: Record<string, unknown>;
  /** Asked for in the body of a webhook's answer instead of by a call. */
  inWebhookReply: boolean;
}

interface Plan {
  method: string;
  chat_id: string | undefined;
  left: number;
  how: Misbehaviour;
}

/**
 * A server that speaks the Bot API over HTTP: loopback only, on a free port. It keeps what the bot did, plays the
 * persons at the other end, and misbehaves on request.
 */
export class BotApi {
  readonly token = "7000000001:TEST-token_of-the-bot-api-server";
  readonly chats = new Chats();
  readonly groups = new Groups();
  readonly calls: Call[] = [];
  readonly updates = new Updates((method, parameters) => this.#carryOut(method, parameters, true));
  readonly #plans: Plan[] = [];
  #server: Server | null = null;
  #port = 0;

  static async start(): Promise<BotApi> {
    const api = new BotApi();
    await api.open();
    return api;
  }

  /** What TELEGRAM_API_ROOT is set to. */
  get root(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get username(): string {
    return bot.username;
  }

  /** Opens the server, on the same port again after `refuseConnections`. */
  async open(): Promise<void> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        writeAnswer(response, fault(500, String(error)));
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** From now on connections are refused, until `open`. */
  async refuseConnections(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async close(): Promise<void> {
    this.updates.close();
    await this.refuseConnections();
  }

  person(id: number | string): Person {
    return new Person(id, this.chats, this.updates);
  }

  /** Somebody opens an invitation and asks to be let in; a banned account cannot even ask. */
  async asksToJoin(id: number | string, chat_id: string): Promise<void> {
    const who = `${chat_id}/${id}`;
    if (this.groups.banned.has(who)) return;
    this.groups.requests.add(who);
    await this.updates.add({
      chat_join_request: {
        chat: { id: Number(chat_id), title: "VIP", type: "supergroup" },
        from: this.person(id).user,
        user_chat_id: Number(id),
        date: Math.floor(Date.now() / 1000),
      },
    });
  }

  /** The next `times` calls of a method (to one chat, if given) go wrong in this way. */
  misbehaves(
    method: string,
    how: Misbehaviour,
    { times = 1, chat_id }: { times?: number; chat_id?: string | number } = {},
  ): void {
    this.#plans.push({
      method,
      how,
      left: times,
      chat_id: chat_id === undefined ? undefined : String(chat_id),
    });
  }

  /** Whatever was still planned to go wrong goes well. */
  behaves(): void {
    this.#plans.length = 0;
  }

  /** The texts that a chat received, in order, as they read now. */
  received(chat_id: string | number): string[] {
    return this.chats.messages.filter((message) => message.chat_id === String(chat_id))
      .map((message) => message.text);
  }

  called(method: string): Call[] {
    return this.calls.filter((call) => call.method.toLowerCase() === method.toLowerCase());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.root);
    const [, token, method] = /^\/bot([^/]+)\/(\w+)$/.exec(url.pathname) ?? [];
    if (method === undefined) return writeAnswer(response, fault(404, "Not Found"));
    if (token !== this.token) return writeAnswer(response, fault(401, "Unauthorized"));
    const body = await readText(request);
    const parameters = readParameters(request, url, body);
    this.calls.push({ method, parameters, inWebhookReply: false });
    const plan = this.#plans.find((one) =>
      one.left > 0 && one.method.toLowerCase() === method.toLowerCase() &&
      (one.chat_id === undefined || one.chat_id === String(parameters.chat_id))
    );
    if (plan) {
      plan.left -= 1;
      return misbehave(response, plan.how, () => this.#perform(method, parameters));
    }
    if (method.toLowerCase() === "getupdates") {
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      return writeAnswer(response, await this.updates.poll(parameters, gone.signal));
    }
    writeAnswer(response, this.#perform(method, parameters));
  }

  #carryOut(method: string, parameters: Record<string, unknown>, inWebhookReply: boolean): void {
    this.calls.push({ method, parameters, inWebhookReply });
    this.#perform(method, parameters);
  }

  #perform(method: string, parameters: Record<string, unknown>): Answer {
    switch (method.toLowerCase()) {
      case "getme":
        return done({ ...bot, can_join_groups: true, can_read_all_group_messages: false });
      case "sendmessage":
        return this.chats.send(parameters);
      case "editmessagetext":
        return this.chats.edit(parameters);
      case "deletemessage":
        return this.chats.remove(parameters);
      case "answercallbackquery":
        return String(parameters.text ?? "").length > 200
          ? fault(400, "Bad Request: MESSAGE_TOO_LONG")
          : done(true);
      case "setwebhook":
        return this.#setWebhook(parameters);
      case "deletewebhook":
        this.updates.webhook = null;
        return done(true);
      case "getwebhookinfo":
        return done({
          url: this.updates.webhook?.url ?? "",
          has_custom_certificate: false,
          pending_update_count: this.updates.pending,
          ...(this.updates.lastError ? { last_error_message: this.updates.lastError } : {}),
        });
      default:
        return this.groups.perform(method.toLowerCase(), parameters) ??
          fault(404, "Not Found: method not found");
    }
  }

  // Telegram demands HTTPS; on the loopback plain HTTP has to do.
  #setWebhook(parameters: Record<string, unknown>): Answer {
    const url = String(parameters.url ?? "");
    if (url !== "" && !URL.canParse(url)) {
      return fault(400, "Bad Request: bad webhook: invalid URL");
    }
    const secret = parameters.secret_token;
    if (secret !== undefined && !/^[\w-]{1,256}$/.test(String(secret))) {
      return fault(400, "Bad Request: secret token contains unallowed characters");
    }
    this.updates.webhook = url === "" ? null : {
      url,
      secret_token: secret === undefined ? undefined : String(secret),
      allowed_updates: parameters.allowed_updates as string[] | undefined,
    };
    return done(true);
  }
}
