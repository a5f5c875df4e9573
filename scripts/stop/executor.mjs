// What a worker does with an approved effect, over and over: claim, reserve, start, and "certainly not sent, try again".
import { setImmediate as yieldTurn, setTimeout as sleep } from "node:timers/promises";
import { fence, post } from "./approved-tasks.mjs";

export class Executor {
  #scratch;
  #policySha256;
  #name;
  #work = null;
  /** Refusals by code. */
  refused = {};
  started = 0;

  constructor(scratch, policySha256, name) {
    this.#scratch = scratch;
    this.#policySha256 = policySha256;
    this.#name = name;
  }

  /** Works until it is over, and keeps what it has leased for the next time. */
  async run(isOver) {
    while (!isOver()) {
      // A database in this process answers without ever giving a timer its turn.
      if (await this.#tryStep()) await yieldTurn();
      else await sleep(2);
    }
  }

  /** The last look before a start raises, and takes the transaction back: nothing started. */
  async #tryStep() {
    try {
      return await this.#step();
    } catch (error) {
      if (!/^task \S+ is stopped$/.test(error.message)) throw error;
      this.#wasRefused({ refused: "stopped" });
      this.#work = null;
      return false;
    }
  }

  #call = (name, args) => this.#scratch.call(name, args);

  #wasRefused({ refused }) {
    if (refused) this.refused[refused] = (this.refused[refused] ?? 0) + 1;
    return Boolean(refused);
  }

  async #step() {
    const claim = { p_worker: this.#name, p_limit: 1, p_agents: ["communicator"] };
    this.#work ??= (await this.#call("claim_steps", claim))[0] ?? null;
    if (this.#work === null) return false;
    const lease = fence(this.#work);
    const effect = await this.#call("reserve_effect", {
      ...lease,
      p_kind: "publish",
      p_channel: "console",
      p_destination: null,
      p_payload: { text: post },
      p_policy_sha256: this.#policySha256,
    });
    if (this.#wasRefused(effect)) {
      // Stopped before it was reserved: the lease is kept and tried until it runs out.
      if (effect.refused !== "stopped") this.#work = null;
      return false;
    }
    const { p_attempt, p_lease_token } = lease;
    const call = { p_effect_id: effect.effect_id, p_attempt, p_lease_token };
    const started = await this.#call("start_effect", call);
    this.#work = null;
    if (this.#wasRefused(started)) return false;
    this.started++;
    const p_receipt = { error: "nothing is sent here", retry_after: 0 };
    await this.#call("confirm_effect", { ...call, p_outcome: "not_sent", p_receipt });
    return true;
  }
}
