import { ownWords, type SayGuise } from "./act.ts";
import { byName, type Figure, publicChat } from "./cast.ts";
import { atRest, type Promised, tappable } from "./at-rest.ts";
import type { Waiting } from "./gate.ts";
import { inOwnChat, type Judgement } from "./judge.ts";
import type { Model, Request } from "./model.ts";
import type { System } from "./system.ts";

export interface Arrived {
  id: string;
  statuses: number[];
  /** What the tapped button showed, each time it was answered. */
  answers: string[];
}

interface Recorded {
  update_id: string;
  outcome: string;
  code: string | null;
}

/** Holds what the system did against what the model says; every difference is told to `differs`. */
export class Checker {
  /** Since then not every call was seen to its end: a card may have come twice, a post may be unknown. */
  hadOutage = false;
  /** A process died while it delivered. */
  hadCrash = false;
  readonly promised: Promised[] = [];
  /** How often what happened: a play in which nothing does proves nothing. */
  readonly tally: Record<string, number> = {};
  readonly expectedIds = new Set<string>();
  /** Codes that were typed, and the messages that must be gone for them. */
  readonly codes: { code: string; chat: string; ids: number[]; isGone: boolean }[] = [];
  #waiting: Waiting[] = [];
  #anon!: Figure;

  constructor(
    readonly system: System,
    readonly model: Model,
    readonly differs: (what: string) => void,
  ) {}

  begin(waiting: Waiting[], anon: Figure): void {
    this.#waiting = waiting;
    this.#anon = anon;
  }

  /** Whether an arrival was taken, and refused only while the process was dying. */
  taken(id: string, statuses: number[], mayDie: boolean): void {
    this.expectedIds.add(id);
    const last = statuses.at(-1)!;
    if (last < 200 || last > 299) this.differs(`update ${id} was answered ${statuses.join(", ")}`);
    else if (statuses.length > 1 && !mayDie) {
      this.differs(`update ${id} was refused first: ${statuses.join(", ")}`);
    }
  }

  async judged(
    arrived: Arrived[],
    judgements: Judgement[],
    chat: string,
    tapped: Request | null,
  ): Promise<void> {
    const rows = await this.#recorded(arrived.map(({ id }) => id));
    if (rows.length !== arrived.length) {
      return this.differs(`${arrived.length} updates, ${rows.length} on record`);
    }
    // Two at once come in either order; the model says what the first and what the second gets.
    const orders = arrived.length === 1 ? [arrived] : [arrived, arrived.toReversed()];
    const rowOf = ({ id }: Arrived) => rows.find((row) => row.update_id === id)!;
    const order = orders.find((one) =>
      one.every((each, at) => isAsJudged(rowOf(each), judgements[at]))
    );
    if (order === undefined) {
      return this.differs(
        `${rows.map(shown).join(" and ")} on record, but ${
          judgements.map(({ outcome, codes }) => `${outcome} ${[...codes].join("|")}`).join(" and ")
        } is right`,
      );
    }
    for (const [at, one] of order.entries()) {
      const { code } = rowOf(one);
      if (code !== null) this.tally[code] = (this.tally[code] ?? 0) + 1;
      const matches = judgements[at].reply?.(code);
      if (!matches) continue;
      this.promised.push({ chat, matches, tapped, answers: one.answers, code });
    }
  }

  /** A member's message with a code is taken away, whatever became of it; a stranger's chat is left alone. */
  confided(who: string, guise: SayGuise, code: string, ids: number[]): void {
    const isOwnChat = ownWords.has(guise) || inOwnChat.has(guise);
    if (!isOwnChat && guise === "marked as a bot") return;
    const isGone = isOwnChat && this.model.isMember(who);
    this.codes.push({ code, chat: byName(who).id, ids, isGone });
  }

  async duplicate(arrived: Omit<Arrived, "id">, id: string): Promise<void> {
    const rows = await this.#recorded([id]);
    if (rows.length !== 1) this.differs(`update ${id} is on record ${rows.length} times`);
    if (arrived.statuses.length !== 1) this.differs(`a repeat of ${id} was not taken at once`);
  }

  posts(): number {
    return this.system.api.chats.messages.filter(({ chat_id }) => chat_id === publicChat).length;
  }

  refusedAtDoor({ status, text }: { status: number; text: string }, id: string): void {
    if (status !== 401) this.differs(`update ${id} without the secret was answered ${status}`);
    if (text.includes("callback")) this.differs(`update ${id} without the secret was acted on`);
  }

  stray(stray: { status: number; stray: string; id: string; stored: boolean }): void {
    const { status, id, stored } = stray;
    if (stored) this.expectedIds.add(id);
    if (status !== (stored ? 200 : 422)) this.differs(`${stray.stray} was answered ${status}`);
  }

  /** Requests and decisions of this play, in the database and in the model. */
  async compare(): Promise<void> {
    const rows = await this.system.db.owner<{ code: string; status: string; given: string[] }>(
      `select r.code, r.status, coalesce((select array_agg(a.approver || ' as ' || a.role || ': ' || a.decision
         order by a.approver, a.decision) from public.approvals a where a.request_id = r.request_id), '{}') as given
       from public.approval_requests r where r.task_id = any ($1) order by r.code`,
      [this.#waiting.map(({ task }) => task)],
    );
    const found = rows.map(({ code, status, given }) => `${code} ${status} [${given.join("; ")}]`);
    const wanted = this.model.requests.toSorted((left, right) => left.code < right.code ? -1 : 1)
      .map(({ code, state, given }) => {
        const decisions = given.map((one) => `${one.account} as ${one.role}: ${one.decision}`);
        return `${code} ${state} [${decisions.sort().join("; ")}]`;
      });
    for (const [at, line] of wanted.entries()) {
      if (found[at] !== line) this.differs(`the database has ${found[at]}, the model ${line}`);
    }
    for (const line of found.slice(wanted.length)) this.differs(`the model does not know ${line}`);
  }

  /** Works the outbox until it is empty. Nothing is left to a next time. */
  async drain(): Promise<void> {
    if (!await this.system.settle()) this.differs("the outbox does not become empty");
  }

  atRest = (): Promise<void> => atRest(this, this.#waiting, this.#anon);

  /** After the day: every update once and no other, no card left that can be tapped, no secret on record. */
  async atEnd(tasks: string[]): Promise<void> {
    const { system } = this;
    const rows = await system.db.owner<{ update_id: string; row: string }>(
      "select update_id, to_jsonb(u)::text as row from public.telegram_updates u where received_at >= $1",
      [system.dayBegan.toISOString()],
    );
    const found = new Set(rows.map(({ update_id }) => update_id));
    for (const id of this.expectedIds) if (!found.has(id)) this.differs(`update ${id} was lost`);
    for (const id of found) {
      if (!this.expectedIds.has(id)) this.differs(`update ${id} is on record and never came in`);
    }
    const nonces = this.model.requests.map(({ nonce }) => nonce);
    if (rows.some(({ row }) => nonces.some((nonce) => row.includes(nonce)))) {
      this.differs("a nonce is on record in an update");
    }
    for (const { code } of this.codes) {
      const raw = new RegExp(`(?<![0-9a-f])${code}(?![0-9a-f])`);
      if (rows.some(({ row }) => raw.test(row))) this.differs(`the code ${code} is on record`);
    }
    const reasons = await system.db.owner<{ reason: string | null }>(
      "select reason from public.approvals where task_id = any ($1) and reason is not null",
      [tasks],
    );
    for (const { reason } of reasons) {
      // deno-lint-ignore no-control-regex
      if (/hunter2|[\u0000\u202e]/.test(reason!)) this.differs(`a reason was kept raw: ${reason}`);
    }
    for (const { chat_id } of tappable(this, () => true)) {
      this.differs(`a card can still be tapped in chat ${chat_id}`);
    }
  }

  #recorded(ids: string[]): Promise<Recorded[]> {
    return this.system.db.owner<Recorded>(
      "select update_id, outcome, code from public.telegram_updates where update_id = any ($1)",
      [ids],
    );
  }
}

const shown = ({ outcome, code }: Recorded): string =>
  code === null ? outcome : `${outcome} ${code}`;

const isAsJudged = ({ outcome, code }: Recorded, judgement: Judgement): boolean =>
  outcome === judgement.outcome &&
  (code === null ? judgement.codes.size === 0 : judgement.codes.has(code));
