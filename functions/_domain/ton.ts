import { z } from "zod";

/** What a webhook says of the chain: which account, which transaction. No amount, and nothing of it is believed. */
export interface ChainNews {
  account: string;
  lt: string;
  tx_hash: string;
}

export const rawAddress = /^(?:-1|0):[0-9a-f]{64}$/;
const hash = /^[0-9a-f]{64}$/;
const whole = /^(?:0|[1-9]\d{0,28})$/;

// Chain numbers outgrow 2^53: long ones arrive as text already (`parseExact`), short ones become it here.
const integer = z.union([z.int().nonnegative(), z.string()]).transform(String)
  .pipe(z.string().regex(whole));
const lower = z.string().max(256).transform((text) => text.toLowerCase());

const news = z.object({
  event_type: z.literal("account_tx").optional(),
  account_id: lower.pipe(z.string().regex(rawAddress)),
  lt: integer.pipe(z.string().regex(/^[1-9]/)),
  tx_hash: lower.pipe(z.string().regex(hash)),
});

/** A webhook's body as news of a transaction; null for every other event, known or not. */
export function readNews(body: unknown): ChainNews | null {
  const read = news.safeParse(body);
  if (!read.success) return null;
  const { account_id: account, lt, tx_hash } = read.data;
  return { account, lt, tx_hash };
}

const address = z.object({ address: lower });

/** As much of tonapi's transaction as is looked at. What says that it went well must be there and say so. */
const transaction = z.object({
  hash: lower.pipe(z.string().regex(hash)),
  lt: integer,
  account: address,
  success: z.boolean(),
  aborted: z.boolean(),
  utime: z.int().positive(),
  in_msg: z.object({
    msg_type: z.string().max(32),
    bounced: z.boolean(),
    value: integer,
    source: address.nullish().catch(null),
    destination: address.nullish().catch(null),
    decoded_op_name: z.string().max(64).nullish().catch(null),
    decoded_body: z.unknown().optional(),
  }).nullish(),
});
export type ChainTransaction = z.output<typeof transaction>;

/** Null for what is no transaction at all: then the source is at fault, and not the payer. */
export function readTransaction(body: unknown): ChainTransaction | null {
  const read = transaction.safeParse(body);
  return read.success ? read.data : null;
}

/** A transfer to us that happened. `comment` is set only where it has the shape of an order's id. */
export interface Transfer {
  source: string;
  amount_nano: string;
  comment: string | null;
  /** Seconds since 1970, by the chain's clock. */
  at: string;
}

export type Verified = { ok: true; transfer: Transfer } | { ok: false; reason: string };

const no = (reason: string): Verified => ({ ok: false, reason });
const orderId = /^[a-z2-7]{26}$/;
const textComment = z.object({ text: z.string() });

// Whatever else stands in a comment is somebody's words to a bookkeeper: it is dropped here, unread and unshown.
function orderIn(name: string | null | undefined, body: unknown): string | null {
  if (name !== "text_comment") return null;
  const comment = textComment.safeParse(body);
  return comment.success && orderId.test(comment.data.text) ? comment.data.text : null;
}

/** Whether the chain shows a transfer to this wallet: addresses in raw form, amounts in base units, no float anywhere. */
export function verifyTransfer(
  shown: ChainTransaction,
  expected: { wallet: string; lt: string; tx_hash: string },
): Verified {
  const message = shown.in_msg;
  if (shown.hash !== expected.tx_hash) return no("the chain answered with another transaction");
  if (shown.lt !== expected.lt) return no("the transaction has another logical time");
  if (!message || message.msg_type !== "int_msg") return no("nobody sent anything with it");
  if (!shown.success || shown.aborted) return no("the transaction did not succeed");
  if (message.bounced) return no("the message bounced");
  const destination = message.destination?.address;
  if (destination !== expected.wallet || shown.account.address !== expected.wallet) {
    return no("it went to another address");
  }
  const source = message.source?.address ?? "";
  if (!rawAddress.test(source)) return no("it has no sender");
  if (message.value === "0") return no("it carried nothing");
  return {
    ok: true,
    transfer: {
      source,
      amount_nano: message.value,
      comment: orderIn(message.decoded_op_name, message.decoded_body),
      at: String(shown.utime),
    },
  };
}
