import { z } from "zod";
import { answer, words } from "./answer.ts";
import type { Ask, Books } from "./books.ts";

const privileges = z.object({
  role: z.string(),
  beyond_policies: z.boolean(),
  writable: words,
  commands: words,
  read_only: z.boolean(),
});

/** What the role may call: both only tell. */
const telling = ["read_at", "scheduled_by_cron"];

/** The role could do more than look, so it does not look. */
export class TooPowerful extends Error {
  override readonly name = "TooPowerful";
}

/** Before the first answer, and again after every hour: whoever was granted more meanwhile is not served any longer. */
export function guardedBooks(books: Books, clock: () => Date): Books {
  let checked_at = -Infinity;
  return {
    ...books,
    read: (work) =>
      books.read(async (ask) => {
        if (clock().getTime() - checked_at > 3_600_000) {
          await requireToLookOnly(ask);
          checked_at = clock().getTime();
        }
        return await work(ask);
      }),
  };
}

export async function requireToLookOnly(ask: Ask): Promise<void> {
  const [found] = await answer(ask, privileges, "select * from command_center.privileges");
  const problems = [
    ...found.role === "command_center" ? [] : [`the role is ${found.role}`],
    ...found.beyond_policies ? ["it is above row-level security"] : [],
    ...found.writable.length === 0 ? [] : [`it can write ${found.writable.slice(0, 5).join(", ")}`],
    ...found.commands.filter((name) => !telling.includes(name)).map((name) =>
      `it can call ${name}`
    ),
    ...found.read_only ? [] : ["the transaction can write"],
  ];
  if (problems.length > 0) throw new TooPowerful(problems.join(", "));
}
