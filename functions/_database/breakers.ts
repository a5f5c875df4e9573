import type { Breakers, CallOutcome, Leave } from "../_domain/breaker.ts";
import { mask } from "../_domain/mask.ts";
import { isRefusalCode, Refusal } from "../_domain/refusal.ts";
import { type Database, DatabaseError } from "./database.ts";

interface Admission {
  admitted?: boolean;
  probe?: string;
  refused?: string;
  reason?: string;
  retry_after?: number;
  timeout_ms?: number;
}

export interface BreakersOptions {
  database: Database;
  now: () => Date;
  /**
   * Tools whose provider is the house itself: as long as none of them is in trouble they are asked about together, once a
   * second and process, so that a T0 step pays nothing for them. A failure is told at once all the same.
   */
  inHouse?: readonly string[];
}

const house: readonly string[] = ["chunks.search", "embed"];
const trustedMs = 1_000;

/** Whether the database itself said no, or was not there; a fault of ours is neither. */
const isPassing = (error: unknown): boolean =>
  error instanceof DatabaseError || error instanceof Refusal;

/** The call goes on and is not waited for: only what may be asked again is cut short like this. */
const withinMs = (milliseconds: number) => async <T>(call: () => Promise<T>): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Refusal("unavailable", `no answer within ${milliseconds} ms`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Breakers whose memory is `public.circuit_breakers`. Where a tool of the house is found well, a success is not told for a
 * second: it could only have reset failures that other processes had within that second, so a breaker of the house
 * may open up to a second's successes early, never late. Tools outside are asked and told about call by call.
 */
export function breakersOf({ database, now, inHouse = house }: BreakersOptions): Breakers {
  let asked = Number.NEGATIVE_INFINITY;
  let troubled: ReadonlySet<string> = new Set();

  const isTrusted = (tool: string): boolean =>
    inHouse.includes(tool) && now().getTime() - asked < trustedMs && !troubled.has(tool);
  async function lookAround(): Promise<void> {
    const at = now().getTime();
    const found = await database.call<{ tool: string }[]>("breakers");
    [asked, troubled] = [at, new Set(found.map(({ tool }) => tool))];
  }
  async function ask(tool: string): Promise<Leave> {
    const answer = await database.call<Admission>("admit_call", { p_tool: tool });
    if (answer.admitted === true) {
      const { probe = null, timeout_ms } = answer;
      return timeout_ms === undefined
        ? { tool, probe }
        : { tool, probe, within: withinMs(timeout_ms) };
    }
    const code = isRefusalCode(answer.refused) ? answer.refused : "unavailable";
    throw new Refusal(code, answer.reason, { tool, retry_after: answer.retry_after });
  }
  async function tell({ tool, probe }: Leave, outcome: CallOutcome, error?: string): Promise<void> {
    await database.call("report_call", {
      p_tool: tool,
      p_probe: probe,
      p_outcome: outcome,
      ...(outcome === "failure" && error ? { p_error: mask(error).slice(0, 300) } : {}),
    });
  }

  return {
    async admit(tool) {
      if (inHouse.includes(tool)) {
        if (now().getTime() - asked >= trustedMs) await lookAround();
        if (isTrusted(tool)) return { tool, probe: null };
      }
      return await ask(tool);
    },
    async report(leave, outcome, error) {
      if (leave.probe === null && outcome === "released") return;
      if (outcome === "success" && leave.probe === null && isTrusted(leave.tool)) return;
      if (outcome === "failure") asked = Number.NEGATIVE_INFINITY;
      try {
        await tell(leave, outcome, error);
      } catch (error) {
        // A probe that is never told of is given out again when its lease is over.
        if (!isPassing(error)) throw error;
      }
    },
  };
}
