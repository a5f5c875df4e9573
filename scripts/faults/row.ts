import type { Scene } from "./scene.ts";

/** What a row cannot do without. A machine that lacks it gets `not possible here` and the reason. */
export type Need =
  /** A PostgreSQL with many sessions: our own, or the one of DATABASE_URL. */
  | "postgres"
  /** A PostgreSQL that may be stopped and killed: started by this run. */
  | "own postgres"
  /** A file system of its own for the data, small enough to fill. */
  | "mount"
  | "redis";

export interface Outcome {
  injected: string;
  observed: string;
  verdict: "green" | "red";
  /** What was seen of the injection itself. Without any the row proves nothing and is red. */
  evidence: string[];
}

export interface Fault {
  id: number;
  fault: string;
  promise: string;
}

export interface Row extends Fault {
  needs: Need[];
  run(scene: Scene): Promise<Outcome>;
}

/** A row whose surface does not exist yet, and the requirement that brings it. */
export interface PendingRow extends Fault {
  waits: string;
}

export const isPending = (row: Row | PendingRow): row is PendingRow => "waits" in row;

/** Collects what a row looked at; the first thing that is not as promised makes it red and says so. */
export class Findings {
  readonly #broken: string[] = [];
  readonly #seen: string[] = [];
  readonly evidence: string[] = [];

  /** A fact of the outcome. */
  saw(text: string): void {
    this.#seen.push(text);
  }

  /** A sign that the fault was there. */
  proof(text: string): void {
    this.evidence.push(text);
  }

  /** Counts as evidence only where something was counted. */
  counted(n: number, what: string): void {
    if (n > 0) this.evidence.push(`${n} ${what}`);
  }

  must(holds: boolean, otherwise: string): void {
    if (!holds) this.#broken.push(otherwise);
  }

  outcome(injected: string): Outcome {
    const broken = this.#broken.length > 0;
    return {
      injected,
      observed: broken ? this.#broken.slice(0, 4).join("; ") : this.#seen.join("; "),
      verdict: broken ? "red" : "green",
      evidence: this.evidence,
    };
  }
}
