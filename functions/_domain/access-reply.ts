import { z } from "zod";
import { line, utc } from "./telegram-text.ts";
import { isRefusalCode, refusals } from "./refusal.ts";

const text = z.union([z.string(), z.number()]).transform(String);
const optional = text.nullish().transform((value) => value ?? null).catch(null);

/** What a buyer is told of their order. A buyer is no member: nothing of the house is in it. */
export const accessReplies = [
  z.object({
    reply: z.literal("payment_received"),
    order_id: optional,
    plan: optional,
    amount: optional,
    currency: optional,
  }),
  z.object({ reply: z.literal("payment_refused"), refused: optional, order_id: optional }),
  z.object({
    reply: z.literal("access_granted"),
    plan: optional,
    expires_at: optional,
    invite_link: optional,
    link_expires_at: optional,
  }),
  z.object({ reply: z.literal("access_ended"), plan: optional }),
] as const;
export type AccessReply = z.output<(typeof accessReplies)[number]>;

const known = (value: string | null): string =>
  value === null || line(value, 64) === "" ? "unknown" : line(value, 64);

// A link is shown only where it leads to Telegram: whatever else a receipt may hold is nobody's to open.
const invitation = /^https:\/\/t\.me\/[+\w/-]{1,64}$/;

function granted(answer: Extract<AccessReply, { reply: "access_granted" }>): string[] {
  const { plan, expires_at, invite_link, link_expires_at } = answer;
  const link = invite_link !== null && invitation.test(invite_link) ? invite_link : null;
  return [
    `Your access (${known(plan)}) runs until ${utc(expires_at)}.`,
    ...(link === null ? ["An operator will send you the way in."] : [
      `Ask to join here: ${link}`,
      "The request is let in for your account alone." +
      (link_expires_at === null ? "" : ` The link works until ${utc(link_expires_at)}.`),
    ]),
  ];
}

/** The text for a buyer; null for an answer that is no buyer's. */
export function accessReplyText(
  answer: { reply: string; [field: string]: unknown },
): string | null {
  const read = z.discriminatedUnion("reply", accessReplies).safeParse(answer);
  if (!read.success) return null;
  const told = read.data;
  switch (told.reply) {
    case "payment_received":
      return `Your payment of ${known(told.amount)} ${known(told.currency)} for ${
        known(told.plan)
      } has arrived. People look at it now; you will be told.`;
    case "payment_refused":
      return `A payment for your order ${known(told.order_id)} could not be credited: ${
        isRefusalCode(told.refused) ? refusals[told.refused].meaning : known(told.refused)
      } An operator has been told.`;
    case "access_granted":
      return granted(told).join("\n");
    case "access_ended":
      return `Your access (${known(told.plan)}) has ended. A new order opens it again.`;
  }
}

interface News {
  topic: string;
  name: string | null;
  by: string | null;
  code: string | null;
  reason: string | null;
  value?: string | null;
}

/** What owners are told of payments; null for another topic. */
export function accessAnnouncementText(news: News): string | null {
  if (news.topic !== "payment_override") return null;
  const most = news.value === undefined ? "" : ` up to ${known(news.value)} USDT`;
  return `Order ${known(news.code)} may exceed the cap${most}, by the word of ${
    known(news.name)
  }, recorded by ${known(news.by)}. Reason: ${line(news.reason ?? "unknown", 280)}`;
}
