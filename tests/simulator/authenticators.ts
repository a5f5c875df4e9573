import { createSeedBox } from "../../functions/_edge/seed-box.ts";
import { codeOf, stepAt } from "../../functions/_edge/totp.ts";
import type { TestDatabase } from "../support/database.ts";
import { administer } from "../support/personas.ts";
import type { Otp } from "./act.ts";

export const deviceKey = "c2ltdWxhdG9yLWRldmljZXMtc2ltdWxhdG9yLWtleTM=";

/** The devices of the cast. A seed is made of the name, so that a play shows the same codes every time. */
export class Authenticators {
  readonly #seeds = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #used = new Map<string, string>();

  constructor(readonly db: TestDatabase) {}

  get owners(): string[] {
    return [...this.#seeds.keys()];
  }

  async enroll(name: string): Promise<void> {
    const seed = new TextEncoder().encode(name.padEnd(20, ".")) as Uint8Array<ArrayBuffer>;
    const [{ member_id }] = await this.db.owner<{ member_id: string }>(
      "select member_id from public.members where name = $1 and status = 'active'",
      [name],
    );
    const sealed = await createSeedBox(deviceKey).seal(member_id, seed);
    const answer = await administer<{ refused?: string }>(
      this.db,
      "enroll_second_factor($1, $2, $3)",
      [name, sealed, "simulator"],
    );
    if (answer.refused) throw new Error(`${name} was not enrolled: ${answer.refused}`);
    this.#seeds.set(name, seed);
  }

  /** The six digits that `name` types, and the half minute of now that they belong to, if any. */
  read(name: string, kind: Otp, at: Date): { code: string; step: number | null } {
    const now = stepAt(at);
    const seed = this.#seeds.get(name);
    if (seed === undefined) return { code: "123456", step: null };
    const near = [now + 1, now, now - 1].map((step) => ({ step, code: codeOf(seed, step) }));
    const code = this.#typed(name, seed, kind, now);
    return { code, step: near.find((one) => one.code === code)?.step ?? null };
  }

  #typed(name: string, seed: Uint8Array<ArrayBuffer>, kind: Otp, now: number): string {
    switch (kind) {
      case "wrong":
        return "000000";
      case "used before":
        return this.#used.get(name) ?? codeOf(seed, now - 5);
      case "somebody else's":
        return codeOf(this.#seeds.get(name === "olga" ? "pavel" : "olga")!, now);
      case "too old":
        return codeOf(seed, now - 2);
      default: {
        const code = codeOf(seed, now);
        this.#used.set(name, code);
        return code;
      }
    }
  }
}
