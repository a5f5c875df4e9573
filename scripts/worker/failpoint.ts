import type { Database } from "../../functions/_database/database.ts";
import { Sentence } from "../stack/sentence.ts";

/** The named places where a worker can be made to die. They lie around its calls of the database, so no function knows of them. */
export const points = [
  "before_claim",
  "after_claim",
  "before_complete",
  "after_reserve",
  "mid_effect",
  "after_effect_before_commit",
  "after_commit_before_answer",
  "during_drain",
] as const;
export type Point = typeof points[number];

export interface Failpoint {
  point: Point;
  /** Dies at the n-th time. */
  at: number;
}

const isPoint = (name: string): name is Point => points.some((point) => point === name);

/** `FAILPOINT=after_claim:3`, which counts only where FAILPOINTS=on says that this is meant. */
export function failpointFrom(get: (name: string) => string | undefined): Failpoint | null {
  const text = get("FAILPOINT")?.trim();
  if (!text) return null;
  if (get("FAILPOINTS")?.trim() !== "on") {
    throw new Sentence(
      "FAILPOINT is set, which would kill this worker: unset it, or set FAILPOINTS=on if that is what you want.",
    );
  }
  const [, name, count = "1"] = /^([a-z_]+)(?::([1-9]\d{0,5}))?$/.exec(text) ?? [];
  if (name === undefined || !isPoint(name)) {
    throw new Sentence(`FAILPOINT must be one of ${points.join(", ")}, with :n for the n-th time.`);
  }
  return { point: name, at: Number(count) };
}

export interface Killer {
  hit(point: Point): void;
}

/** Says that the point is reached and then does nothing more, whatever else was under way: the process is as good as dead. */
export function killer(failpoint: Failpoint, die: (point: Point) => never): Killer {
  let times = 0;
  return {
    hit(point) {
      if (point !== failpoint.point) return;
      times += 1;
      if (times === failpoint.at) die(point);
    },
  };
}

interface Answer {
  refused?: string;
  status?: string;
  claimed?: unknown;
}

const commits = new Set([
  "complete_steps",
  "complete_and_claim_steps",
  "confirm_effect",
  "record_plan",
  "archive_task",
]);
const claims = new Set(["claim_steps", "complete_and_claim_steps"]);
const completions = new Set(["complete_steps", "complete_and_claim_steps"]);

/** The same database, with the points around the calls that they are named after. */
export function withFailpoint(database: Database, { hit }: Killer): Database {
  return {
    async call<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
      if (claims.has(name)) hit("before_claim");
      if (completions.has(name)) hit("before_complete");
      if (name === "confirm_effect" && args.p_outcome === "confirmed") {
        hit("after_effect_before_commit");
      }
      const answer = await database.call<T>(name, args);
      const { refused, status, claimed = answer }: Answer = Object(answer);
      if (claims.has(name) && Array.isArray(claimed) && claimed.length > 0) hit("after_claim");
      if (name === "reserve_effect" && status === "reserved") hit("after_reserve");
      if (name === "start_effect" && status === "sent") hit("mid_effect");
      if (commits.has(name) && refused === undefined) hit("after_commit_before_answer");
      return answer;
    },
    close: () => database.close(),
  };
}
