import type { Placed } from "./broker.ts";
import type { Delivery } from "./notification.ts";
import { Refusal } from "./refusal.ts";

/** How a call of a tool outside ended. `released`: it was not made, or said nothing about whether the tool works. */
export type CallOutcome = "success" | "failure" | "released";

/** The leave for one call. `probe` is set where this call is the one that asks whether the tool is back. */
export interface Leave {
  tool: string;
  probe: string | null;
  /** Set while the patience with this tool is tightened: makes the call and throws `unavailable` when it takes longer. */
  within?: <T>(call: () => Promise<T>) => Promise<T>;
}

/** The breakers of all tools, one memory for all processes. */
export interface Breakers {
  /** Throws `breaker_open`, with the tool and the seconds to wait, while the tool is left alone. */
  admit(tool: string): Promise<Leave>;
  /** Says how the call ended. It never throws: what a call brought outweighs the counting of it. */
  report(leave: Leave, outcome: CallOutcome, error?: string): Promise<void>;
}

/**
 * What an error says about the tool. Only no answer and nonsense count against it: a 4xx is an answer, a 429 asks to
 * wait and proves nothing, what we refuse ourselves never left, and any other error is a fault of ours.
 */
export function outcomeOfError(error: unknown): CallOutcome {
  if (!(error instanceof Refusal)) return "released";
  switch (error.code) {
    case "unavailable":
      return "failure";
    case "insufficient_data":
    case "not_found":
      return "success";
    default:
      return "released";
  }
}

/** What a call to Telegram says about Telegram. */
export function outcomeOfDelivery(delivery: Delivery): CallOutcome {
  switch (delivery.outcome) {
    case "unknown":
      return "failure";
    case "retry":
      return delivery.unreached ? "failure" : "released";
    default:
      return "success";
  }
}

/** What became of an order says about the bridge. One that was taken and never answered counts as silence. */
export function outcomeOfOrder(placed: Placed): CallOutcome {
  switch (placed.outcome) {
    case "unknown":
      return "failure";
    case "not_sent":
      return placed.unreached ? "failure" : "released";
    default:
      return "success";
  }
}

const words = (error: unknown): string => error instanceof Error ? error.message : String(error);

/**
 * Calls a tool outside behind its breaker. A refusal that comes out names the tool, so that whoever gives up on a step
 * can say with what.
 */
export async function behindBreaker<T>(
  breakers: Breakers,
  tool: string,
  call: () => Promise<T>,
  read: (result: T) => CallOutcome = () => "success",
): Promise<T> {
  const leave = await breakers.admit(tool);
  let result: T;
  try {
    result = await (leave.within === undefined ? call() : leave.within(call));
  } catch (error) {
    await breakers.report(leave, outcomeOfError(error), words(error));
    // The same error goes on: a database that was away is still told from a tool that was.
    if (error instanceof Refusal) error.about = { tool, ...error.about };
    throw error;
  }
  await breakers.report(leave, read(result));
  return result;
}

/**
 * The leave for a call that is one part of something longer. `act` makes the call, tells its outcome and answers true;
 * where it did not come to the call the leave goes back, so that a probe is not held for nothing.
 */
export async function withLeave(
  breakers: Breakers,
  tool: string,
  act: (leave: Leave) => Promise<boolean>,
): Promise<void> {
  const leave = await breakers.admit(tool);
  let isTold = false;
  try {
    isTold = await act(leave);
  } finally {
    if (!isTold) await breakers.report(leave, "released");
  }
}
