import { handle } from "../../../functions/telegram-webhook/handler.ts";
import { createSigner } from "../../../functions/_edge/signing.ts";
import * as line from "../../../tests/support/line.ts";
import type { FaultedDatabase } from "../faulted-database.ts";

export interface Heard {
  status: number;
  /** What became of it by the receipt: refused code, or recorded. */
  code: string | null;
}

/** The webhook in this process, on a real database. */
export function webhookOf(db: FaultedDatabase, now: () => Date = () => new Date()) {
  const secret = "hook-secret";
  const signer = createSigner(btoa("s".repeat(32)));
  return async (
    update: Record<string, unknown>,
    presented: string | null = secret,
  ): Promise<Heard> => {
    const request = new Request("http://localhost/telegram-webhook", {
      method: "POST",
      headers: presented === null ? {} : { "x-telegram-bot-api-secret-token": presented },
      body: JSON.stringify(update),
    });
    const response = await handle(request, {
      database: db.database,
      secret,
      username: () => Promise.resolve("ags_bot"),
      channel: "telegram",
      policy_sha256: line.policySha256,
      signer,
      seeds: null,
      vip_chat_id: null,
      now,
    });
    await response.arrayBuffer();
    const [row] = await db.owner<{ code: string | null }>(
      "select code from public.telegram_updates where update_id = $1",
      [String(update.update_id)],
    );
    return { status: response.status, code: row?.code ?? null };
  };
}

let updates = 500_000;
export const nextUpdate = (): number => ++updates;

/** A message as Telegram delivers it, from a person in their private chat unless `more` says otherwise. */
export const message = (from: number, text: string, more: Record<string, unknown> = {}) => ({
  message_id: nextUpdate(),
  from: { id: from, is_bot: false, first_name: `Person ${from}` },
  chat: { id: from, type: "private" },
  date: Math.floor(Date.now() / 1000),
  text,
  ...more,
});

export const decided = (db: FaultedDatabase, taskId: string): Promise<number> =>
  db.count("public.approvals where task_id = $1", [taskId]);
