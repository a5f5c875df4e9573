import type { Act, Arrival, Otp } from "./act.ts";
import { byName, type Figure } from "./cast.ts";
import type { Checker } from "./checker.ts";
import { type Judgement, judgeTap, judgeWords } from "./judge.ts";
import type { Model, Request } from "./model.ts";
import { secret, type System } from "./system.ts";
import { bare, sayUpdate, tapUpdate, wireJson } from "./wire.ts";
import { addressed, textOf } from "./words.ts";

/** Carries what people do to the webhook, as Telegram would, and what they must see to the checker. */
export class Courier {
  /** The ids of all updates, as they left. */
  readonly sent: string[] = [];
  #messages = 9000;

  constructor(
    readonly system: System,
    readonly model: Model,
    readonly checker: Checker,
    readonly anon: Figure,
    readonly play: number,
  ) {}

  async say({ who, words, guise, arrival }: Extract<Act, { do: "say" }>): Promise<void> {
    const otp = words.say === "approve" ? await this.#otp(who, words.otp) : null;
    const spoken = textOf(this.model, words, otp?.code);
    const text = guise === "addressed to our bot" ? addressed(spoken) : spoken;
    const ids: number[] = [];
    const fields = () =>
      sayUpdate({
        who: byName(who),
        other: this.#other(who),
        anon: this.anon,
        text,
        guise,
        message_id: ids[ids.push(++this.#messages) - 1],
        date: Math.floor(this.system.now.getTime() / 1000),
      });
    await this.#send(
      arrival,
      fields,
      null,
      () => judgeWords(this.model, who, words, guise, this.system.heardName, otp),
      byName(who).id,
    );
    if (otp !== null) this.checker.confided(who, guise, otp.code, ids);
  }

  /** The code that somebody types, and the half minute it belongs to if it is one of theirs. */
  async #otp(who: string, kind: Otp): Promise<{ code: string; step: number | null } | null> {
    if (kind === "none") return null;
    const otp = await this.system.authenticators.read(who, kind, this.system.now);
    return this.model.account(who).enrolled ? otp : { ...otp, step: null };
  }

  async tap({ who, errand, decision, guise, arrival }: Extract<Act, { do: "tap" }>) {
    const request = this.model.newest(errand);
    // What has no card on its screen has nothing but the answer to the tap, and that one is lost with a process.
    const hasCard = this.system.api.chats.messages.some(({ chat_id, buttons }) =>
      chat_id === byName(who).id &&
      buttons.some(({ callback_data }) => callback_data.endsWith(request.nonce))
    );
    if (!hasCard) arrival = { ...arrival, crash: null };
    await this.#send(
      arrival,
      () => this.tapFields(who, request, decision, guise),
      request,
      () => judgeTap(this.model, who, request, decision, guise),
      byName(who).id,
    );
  }

  /** Sends one update as often as it is to come, and holds each arrival against its judgement. */
  async #send(
    arrival: Arrival,
    fields: () => Record<string, unknown>,
    tapped: Request | null,
    judge: () => Judgement,
    chat: string,
  ): Promise<void> {
    const { checker } = this;
    const id = this.id(arrival.slot, arrival.huge);
    const first = fields();
    switch (arrival.times) {
      case "once":
      case "copied later": {
        const arrived = await this.arrive(id, first, arrival.crash);
        await checker.judged([{ id, ...arrived }], [judge()], chat, tapped);
        if (arrival.times === "once") return;
        return await checker.duplicate(await this.arrive(id, first, null), id);
      }
      case "copied at once": {
        const both = await Promise.all([
          this.arrive(id, first, arrival.crash),
          this.arrive(id, first, null),
        ]);
        const answers = both.flatMap((one) => one.answers);
        return await checker.judged(
          [{ id, statuses: both.flatMap((one) => one.statuses), answers }],
          [judge()],
          chat,
          tapped,
        );
      }
      case "twice at once": {
        const second = this.id(arrival.slot + 500, arrival.huge);
        const both = await Promise.all([
          this.arrive(id, first, null),
          this.arrive(second, fields(), null),
        ]);
        const arrived = both.map((one, at) => ({ id: at === 0 ? id : second, ...one }));
        return await checker.judged(arrived, [judge(), judge()], chat, tapped);
      }
    }
  }

  /** Telegram posts an update until it is taken, and then does what the answer asks for. */
  async arrive(id: string, fields: Record<string, unknown>, crash: Arrival["crash"]) {
    this.sent.push(id);
    const body = wireJson({ update_id: bare(id), ...fields });
    const statuses: number[] = [];
    const answers: string[] = [];
    for (let left = 4; left > 0; left--) {
      const { status, text } = await this.system.knock(
        body,
        secret,
        statuses.length === 0 ? crash : null,
      );
      statuses.push(status);
      if (status < 200 || status > 299) continue;
      const { method, ...parameters } = JSON.parse(text) as Record<string, unknown>;
      if (typeof method === "string") {
        this.system.api.updates.execute(method, parameters);
        answers.push(String(parameters.text));
      }
      break;
    }
    this.checker.taken(id, statuses, crash !== null);
    return { statuses, answers };
  }

  tapFields(
    who: string,
    request: Request,
    decision: "approve" | "reject",
    guise: Extract<Act, { do: "tap" }>["guise"],
  ): Record<string, unknown> {
    return tapUpdate({
      who: byName(who),
      other: this.#other(who),
      anon: this.anon,
      data: `${decision === "approve" ? "y" : "n"}:${request.nonce}`,
      guise,
      callback_id: `cb${++this.#messages}`,
      message_id: this.#messages,
      date: Math.floor(this.system.now.getTime() / 1000),
    });
  }

  #other(who: string): Figure {
    return byName(who === "pavel" ? "olga" : "pavel");
  }

  /** No play uses an id of another; the huge ones differ in digits that a double does not have. */
  id(slot: number, huge: boolean): string {
    const id = String(this.play * 1000 + slot);
    return huge ? `9${id.padStart(18, "0")}` : id;
  }
}
