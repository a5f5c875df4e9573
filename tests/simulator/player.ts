import { administer } from "../support/personas.ts";
import type { Act, Script } from "./act.ts";
import { byName, cast, type Figure } from "./cast.ts";
import { Checker } from "./checker.ts";
import { Courier } from "./courier.ts";
import { bringToGate, requestsOf, type Waiting } from "./gate.ts";
import { Model, type Request } from "./model.ts";
import { knockHeader, strayUpdate } from "./hostile-door.ts";
import { secret, type System } from "./system.ts";
import { bare, wireJson } from "./wire.ts";

const requestSeconds = { signal: 900, asked: 900, trade: 86_400 };

export interface Divergence {
  /** Which act it followed; the number of acts where the end of the play showed it. */
  at: number;
  what: string;
}

/** One play: every act goes through the door, and after each the database is compared with the model. */
export class Player {
  readonly model = new Model();
  readonly divergences: Divergence[] = [];
  readonly checker: Checker;
  /** What the play came to: requests by their state, refusals by their code. */
  readonly tally: Record<string, number> = {};
  #at = 0;
  #waiting: Waiting[] = [];
  #courier!: Courier;
  readonly #anon: Figure;

  constructor(readonly system: System, readonly script: Script) {
    this.#anon = { ...byName("anon"), id: script.anon };
    this.checker = new Checker(system, this.model, (what) => {
      this.divergences.push({ at: this.#at, what });
    });
  }

  async play(): Promise<Divergence[]> {
    await this.#begin();
    for (const [at, act] of this.script.acts.entries()) {
      this.#at = at;
      await this.system.advance(2);
      this.model.now = this.system.seconds;
      await this.#act(act);
      await this.checker.compare();
      if (this.divergences.length > 0) break;
    }
    if (this.divergences.length === 0) {
      this.#at = this.script.acts.length;
      await this.#clearUp();
    }
    this.#count();
    await this.#end();
    return this.divergences;
  }

  async #begin(): Promise<void> {
    const { system, script } = this;
    const day = await system.nextDay();
    this.#courier = new Courier(system, this.model, this.checker, this.#anon, day);
    await system.db.owner(
      "update public.members set telegram_user_id = $1 where name = 'anon' and status = 'active'",
      [script.anon],
    );
    this.#waiting = await bringToGate(system.db, script.errands);
    const rows = await requestsOf(system.db, this.#waiting.map(({ task }) => task));
    for (const row of rows) {
      const errand = this.#waiting.findIndex(({ task }) => task === row.task_id);
      const of = script.errands[errand];
      this.model.requests.push({
        errand,
        code: row.code,
        nonce: row.nonce,
        task: row.task_id,
        slots: of.kind === "trade" ? ["operator", "owner"] : ["operator"],
        requester: of.kind === "asked" ? byName(of.by).person : null,
        state: "open",
        expires: requestSeconds[of.kind],
        given: [],
      });
    }
    if (rows.length !== script.errands.length) {
      throw new Error(`${script.errands.length - rows.length} errands did not reach their gate`);
    }
    this.checker.begin(this.#waiting, this.#anon);
  }

  async #act(act: Act): Promise<void> {
    const { system, model } = this;
    const courier = this.#courier;
    switch (act.do) {
      case "say":
        return await courier.say(act);
      case "tap":
        return await courier.tap(act);
      case "reuse": {
        const used = courier.sent.at(-act.back);
        if (used === undefined) return;
        const fields = courier.tapFields(act.who, model.newest(act.errand), act.decision, "plain");
        return await this.checker.duplicate(await courier.arrive(used, fields, null), used);
      }
      case "knock": {
        const id = courier.id(act.slot, false);
        const fields = courier.tapFields(act.who, model.newest(act.errand), "approve", "plain");
        const body = wireJson({ update_id: bare(id), ...fields });
        return this.checker.refusedAtDoor(
          await system.knock(body, knockHeader(act.header, secret)),
          id,
        );
      }
      case "stray":
        return await strayUpdate(system, this.checker, act.body, courier.id(act.slot, false));
      case "remove":
        if (model.remove(act.who)) await this.#administer("remove_member($1, $2)", act.who);
        return;
      case "turn":
        if (model.remove(act.who)) await this.#administer("remove_member($1, $2)", act.who);
        if (model.add(act.who, act.role)) await this.#add(act.who, act.role);
        return;
      case "rejoin": {
        const { role } = byName(act.who);
        if (model.add(act.who, role!)) await this.#add(act.who, role!);
        return;
      }
      case "restart":
        model.oldBundle = act.bundle === "old";
        return await system.restart(act.bundle);
      case "deliver":
        this.checker.hadCrash ||= act.crash !== null;
        return await system.deliver(act.crash);
      case "publish":
        return await this.#publish();
      case "outage":
        for (const method of ["sendMessage", "editMessageText"]) {
          system.api.misbehaves(
            method,
            act.how === "too_many_requests" ? { as: act.how, retry_after: 3 } : { as: act.how },
            { times: act.times, chat_id: byName(act.whose).id },
          );
        }
        this.checker.hadOutage = true;
        return;
      case "disconnect":
        this.checker.hadOutage = true;
        return await system.disconnect();
      case "reconnect":
        return await system.reconnect();
      case "wait":
        await system.advance(act.seconds);
        model.now = system.seconds;
        if (act.sweep) {
          await system.sweep();
          model.expire();
        }
    }
  }

  async #publish(): Promise<void> {
    const { system, model } = this;
    await system.sweep();
    model.expire();
    const held = model.requests.filter((request) => request.held && request.state === "approved");
    const replaced = model.requests.filter((request) =>
      !held.includes(request) && model.carryOut(request) === "superseded"
    );
    const before = this.checker.posts();
    await system.publish();
    if (model.stopped && this.checker.posts() > before) {
      this.divergences.push({ at: this.#at, what: "something was posted after the stop" });
    }
    replaced.push(...await this.#heldBack(held));
    if (replaced.length === 0) return;
    const known = new Set(model.requests.map(({ code }) => code));
    for (const row of await requestsOf(system.db, replaced.map(({ task }) => task))) {
      if (known.has(row.code)) continue;
      const old = replaced.find(({ task }) => task === row.task_id)!;
      model.requests.push({ ...old, code: row.code, nonce: row.nonce, state: "open", given: [] });
    }
  }

  /** What a stop held back may be carried out now or later: it is looked up, and must be right. */
  async #heldBack(held: Request[]): Promise<Request[]> {
    const rows = await requestsOf(this.system.db, held.map(({ task }) => task));
    return held.filter((request) => {
      const status = rows.find(({ code }) => code === request.code)?.status;
      if (status === "approved" || this.model.stopped) return false;
      return this.model.carryOut(request) === "superseded";
    });
  }

  /** The outage ends, what waits is carried out and delivered; then everybody must have seen what happened. */
  async #clearUp(): Promise<void> {
    const { system } = this;
    system.api.behaves();
    await system.reconnect();
    await system.resume();
    this.model.stopped = false;
    await system.advance(6);
    this.model.now = system.seconds;
    await this.#publish();
    await this.checker.drain();
    await this.checker.compare();
    await this.checker.atRest();
  }

  #count(): void {
    const add = (what: string, times = 1) => this.tally[what] = (this.tally[what] ?? 0) + times;
    for (const [code, times] of Object.entries(this.checker.tally)) add(code, times);
    for (const { state, slots, given } of this.model.requests) {
      add(`${state} of ${slots.length === 1 ? "one" : "two"}`);
      add("decisions", given.length);
    }
  }

  /** The day is over: what nobody decided has lapsed, the cards say so, and the cast is as it was. */
  async #end(): Promise<void> {
    const { system, model } = this;
    system.api.behaves();
    await system.reconnect();
    await system.resume();
    await system.advance(90_000);
    model.now = system.seconds;
    await system.sweep();
    model.expire();
    if (this.divergences.length === 0) {
      await this.checker.drain();
      await this.checker.compare();
      await this.checker.atEnd(this.#waiting.map(({ task }) => task));
    } else {
      await this.checker.drain();
    }
    for (const { name, role } of cast) {
      const now = model.account(name).role;
      if (now === role) continue;
      if (now !== null) await this.#administer("remove_member($1, $2)", name);
      if (role !== null) await this.#add(name, role);
    }
    for (const name of this.system.authenticators.owners) {
      if (!model.account(name).enrolled) await system.authenticators.enroll(name);
    }
    await system.restart("right");
    system.forget();
  }

  async #administer(command: string, ...params: string[]): Promise<void> {
    const answer = await administer<{ refused?: string }>(this.system.db, command, [
      ...params,
      "simulator",
    ]);
    if (answer.refused) throw new Error(`${command} of ${params[0]}: ${answer.refused}`);
  }

  async #add(name: string, role: string): Promise<void> {
    // An account that comes back is the person who left, tom's second one included.
    await this.#administer(
      "add_member($1, $2)",
      JSON.stringify({ role, name, telegram_user_id: byName(name).id }),
    );
  }
}
