import { z } from "zod";
import type { RequestFact } from "../facts/review.ts";
import type { Reader } from "../truth/reading.ts";
import { answer, time, words } from "./answer.ts";
import type { Books } from "./books.ts";
import { platformReader } from "./reader.ts";

const requestRow = z.object({
  code: z.string(),
  task_id: z.string(),
  tier: z.enum(["T0", "T1", "T2", "T3"]),
  action: z.string(),
  goal: z.string(),
  requester: z.string(),
  required_slots: words,
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

/** Which slots nobody has filled: one yes fills one slot of its role. */
export function missingSlots(
  slots: readonly string[],
  decided: readonly { role: string; decision: string }[],
): string[] {
  const missing = [...slots];
  for (const { role, decision } of decided) {
    const slot = missing.findIndex((wanted) => wanted === role || wanted.split("|").includes(role));
    if (decision === "approve" && slot >= 0) missing.splice(slot, 1);
  }
  return missing;
}

export const platformRequests = (books: Books): Reader<readonly RequestFact[]> =>
  platformReader(books, async (ask) => {
    const rows = await answer(
      ask,
      requestRow,
      "select * from command_center.requests where status = 'open' order by requested_at limit 200",
    );
    return rows.map(({ required_slots, ...row }): RequestFact => ({
      ...row,
      href: `/command/tasks/${row.task_id}#${row.code}`,
      missing: missingSlots(required_slots, row.decided),
    }));
  });
