import type { Decision } from "./act.ts";
import { cast, type Role } from "./cast.ts";

/**
 * The reference model: who may decide what, written from the rules and not from the SQL. It knows nothing of
 * Telegram, of messages or of tables.
 */
export interface Account {
  name: string;
  person: string;
  /** Null: not a member now. */
  role: Role | null;
  /** A member who comes back is another member of the same person, and has no authenticator. */
  joined: number;
  enrolled: boolean;
  /** The last half minute whose code was used up. */
  lastStep: number;
  /** When codes were wrong. */
  wrong: number[];
}

/** A code that came with a decision: which half minute it belongs to, null where to none. */
export interface Factor {
  step: number | null;
}
const wrongCodes = 5;
const wrongSeconds = 900;

export interface Given {
  account: string;
  person: string;
  role: Role;
  joined: number;
  decision: Decision;
}

export type State = "open" | "approved" | "rejected" | "expired" | "superseded" | "consumed";

export interface Request {
  errand: number;
  code: string;
  nonce: string;
  task: string;
  slots: Role[];
  requester: string | null;
  state: State;
  /** Seconds since the play began. */
  expires: number;
  given: Given[];
  /** A stop kept it from being carried out: when it is tried again is the system's business. */
  held?: boolean;
}

/** The reasons for which a decision may be refused; empty when it counts. */
export type Verdict = { request: Request | null; reasons: ReadonlySet<string> };

export class Model {
  readonly accounts = new Map<string, Account>();
  readonly requests: Request[] = [];
  now = 0;
  /** Somebody has stopped every effect. */
  stopped = false;
  /** The door was started with a policy that is not the active one. */
  oldBundle = false;
  #joined = 0;

  constructor() {
    for (const { name, person, role } of cast) {
      this.accounts.set(name, {
        name,
        person,
        role,
        joined: this.#joined++,
        enrolled: role !== null && name !== "anon",
        lastStep: 0,
        wrong: [],
      });
    }
  }

  account(name: string): Account {
    return this.accounts.get(name)!;
  }

  isMember = (name: string): boolean => this.account(name).role !== null;

  /** False: nothing changed, because the account is no member, or one already. */
  remove(name: string): boolean {
    const account = this.account(name);
    if (account.role === null) return false;
    Object.assign(account, { role: null, enrolled: false });
    return true;
  }

  add(name: string, role: Role): boolean {
    const account = this.account(name);
    if (account.role !== null) return false;
    Object.assign(account, { role, joined: this.#joined++, enrolled: false });
    return true;
  }

  /** What a code names: a request's own, or a task's, which stands for its newest request. */
  find(code: string): Request | null {
    const exact = this.requests.find((request) => request.code === code);
    if (exact) return exact;
    return this.requests.findLast((request) =>
      request.task === code && request.state !== "superseded"
    ) ?? null;
  }

  newest(errand: number): Request {
    return this.requests.findLast((request) => request.errand === errand)!;
  }

  decide(
    name: string,
    request: Request | null,
    decision: Decision,
    factor: Factor | null = null,
  ): Verdict {
    const account = this.account(name);
    const refused = (...reasons: string[]) => ({ request, reasons: new Set(reasons) });
    if (account.role === null) return refused("not_a_member");
    if (request === null) return refused("unknown_request");
    const mine = request.given.filter(({ person }) => person === account.person);
    const myYes = mine.some((given) => given.decision === "approve");
    const myNo = mine.some((given) => given.decision === "reject");
    // Whoever said yes may still say no, until somebody began to carry it out.
    const takesBack = decision === "reject" && myYes && !myNo &&
      (request.state === "open" || request.state === "approved");
    if ((request.state === "open" || takesBack) && request.expires <= this.now) {
      request.state = "expired";
    }
    const reasons = new Set<string>();
    if (request.state === "expired") reasons.add("request_expired");
    if (
      mine.some((given) =>
        given.joined === account.joined && (decision === "approve" || given.decision === "reject")
      )
    ) reasons.add("already_decided");
    if (request.state !== "open" && !takesBack) reasons.add("request_closed");
    if (this.oldBundle) reasons.add("policy_not_active").add("policy_not_approved");
    if (!request.slots.includes(account.role)) reasons.add("wrong_role");
    if (request.requester === account.person) reasons.add("self_approval");
    if (mine.length > 0 && !takesBack) reasons.add("dual_control_violation");
    if (reasons.size > 0) return { request, reasons };
    // Two people's business: a yes needs a code of one's own device; a no is never made harder.
    const problem = request.slots.length > 1 && decision === "approve"
      ? this.#factorProblem(account, factor)
      : null;
    if (problem !== null) return refused(problem);

    const { person, role, joined } = account;
    request.given.push({ account: name, person, role, joined, decision });
    if (decision === "reject") request.state = "rejected";
    else if (this.isFilled(request)) request.state = "approved";
    return { request, reasons };
  }

  #factorProblem(account: Account, factor: Factor | null): string | null {
    if (!account.enrolled || factor === null) return "second_factor_required";
    account.wrong = account.wrong.filter((at) => at > this.now - wrongSeconds);
    if (account.wrong.length >= wrongCodes) return "second_factor_locked";
    if (factor.step !== null && factor.step > account.lastStep) {
      account.lastStep = factor.step;
      return null;
    }
    account.wrong.push(this.now);
    return "second_factor_wrong";
  }

  /** Whether people who are still what they were when they said yes fill every slot, each person one. */
  isFilled(request: Request): boolean {
    const yes = request.given.filter((given) => {
      const account = this.account(given.account);
      return given.decision === "approve" && account.joined === given.joined &&
        account.role === given.role;
    });
    const fill = (slots: Role[], taken: string[]): boolean =>
      slots.length === 0 ||
      yes.some(({ person, role }) =>
        role === slots[0] && !taken.includes(person) && fill(slots.slice(1), [...taken, person])
      );
    return fill(request.slots, []);
  }

  /** The clock's job: what nobody answered in time counts as no, and an approval lapses with its request. */
  expire(): void {
    for (const request of this.requests) {
      if (["open", "approved"].includes(request.state) && request.expires <= this.now) {
        request.state = "expired";
      }
    }
  }

  /** What is approved is carried out, unless an approver has lost the right to say so: then people are asked anew. */
  carryOut(request: Request): "consumed" | "superseded" | null {
    if (request.state !== "approved" || request.slots.length > 1) return null;
    if (this.stopped) {
      request.held = true;
      return null;
    }
    request.state = this.isFilled(request) ? "consumed" : "superseded";
    return request.state;
  }

  mayStop(name: string): boolean {
    return ["owner", "operator"].includes(this.account(name).role ?? "");
  }

  mayDecide(name: string, request: Request): boolean {
    const { role, person } = this.account(name);
    return role !== null && request.slots.includes(role) && request.requester !== person;
  }
}
