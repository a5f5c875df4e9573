import { z } from "zod";
import type { RequestFact } from "../facts/review.ts";
import type { Reader } from "../truth/reading.ts";
import { answer, time } from "./answer.ts";
import type { Books } from "./books.ts";
import { platformReader } from "./reader.ts";

const requestRow = z.object({
  code: z.string(),
  task_id: z.string(),
  tier: z.enum(["T0", "T1", "T2", "T3"]),
  action: z.string(),
  goal: z.string(),
  requester: z.string(),
  slots: z.array(z.object({ slot: z.string(), roles: z.array(z.string()) })),
  digest: z.string(),
  requested_at: time,
  expires_at: time,
  decided: z.array(z.object({
    name: z.string(),
    role: z.string(),
    decision: z.enum(["approve", "reject"]),
    at: time,
  })),
  blocker: z.string().nullable(),
});

interface Slot {
  slot: string;
  roles: readonly string[];
}

/** Slots that nobody's yes fills; a yes fills one slot, and the database alone decides when all are. */
export function missingSlots(
  slots: readonly Slot[],
  decided: readonly { role: string; decision: string }[],
): string[] {
  const missing = [...slots];
  for (const { role, decision } of decided) {
    const filled = missing.findIndex(({ roles }) => roles.includes(role));
    if (decision === "approve" && filled >= 0) missing.splice(filled, 1);
  }
  return missing.map(({ slot }) => slot);
}

export const platformRequests = (books: Books): Reader<readonly RequestFact[]> =>
  platformReader(books, async (ask) => {
    const rows = await answer(
      ask,
      requestRow,
      "select * from command_center.requests where status = 'open' order by requested_at limit 200",
    );
    return rows.map(({ slots, ...row }): RequestFact => ({
      ...row,
      href: `/command/tasks/${row.task_id}#${row.code}`,
      missing: missingSlots(slots, row.decided),
    }));
  });
