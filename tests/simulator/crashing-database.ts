import type { Database } from "../../functions/_database/database.ts";
import { Refusal } from "../../functions/_domain/refusal.ts";
import type { Crash } from "./act.ts";

/** A database whose client dies at the n-th call from now: before the call took effect, or after. */
export class CrashingDatabase implements Database {
  #crash: Crash = null;
  #calls = 0;

  constructor(readonly inner: Database) {}

  plan(crash: Crash): void {
    this.#crash = crash;
    this.#calls = 0;
  }

  async call<T>(name: string, args?: Record<string, unknown>): Promise<T> {
    this.#calls += 1;
    const dies = this.#crash !== null && this.#calls === this.#crash.call ? this.#crash : null;
    if (dies?.when === "before") throw new Refusal("unavailable");
    const answer = await this.inner.call<T>(name, args);
    if (dies?.when === "after") throw new Refusal("unavailable");
    return answer;
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
