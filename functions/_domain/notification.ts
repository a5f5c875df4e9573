import { z } from "zod";
import { accessReplies } from "./access-reply.ts";
import { emergencyNews, emergencyReplies } from "./emergency-reply.ts";
import { secondFactorReplies } from "./second-factor-reply.ts";
import { tradingReplies } from "./trading-reply.ts";

// Payloads are written by SQL and read here, one version apart at times: fields that are missing get a value that
// says so, fields that are new are dropped. Numbers become text at once; nothing here calculates.
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const optional = text.nullish().transform((value) => value ?? null).catch(null);
const list = <T extends z.ZodType>(item: T) =>
  z.array(item).nullish().transform((items) => items ?? []).catch([]);

const figure = z.object({ value: optional, origin: optional, rule: optional });
const noFigure = { value: null, origin: null, rule: null };

/** An idea as people are shown it; `_domain/idea.ts` says what it is, this reads what was stored. */
export const shownIdea = z.object({
  kind: optional,
  symbol: optional,
  exchange: optional,
  side: optional,
  entry: figure.catch(noFigure),
  stop_loss: figure.catch(noFigure),
  take_profits: list(figure),
  size: figure.catch(noFigure),
  reward_risk: optional,
  timeframe: optional,
  strategy: optional,
  note: optional,
  summary: optional,
  evidence: list(
    z.object({
      artifact_id: optional,
      node_id: optional,
      checksum: optional,
      stale: z.boolean().nullish().transform((stale) => stale ?? false).catch(false),
    }),
  ),
  similar: list(
    z.object({ chunk_id: optional, task_id: optional, distance: optional, excerpt: optional }),
  ),
});
export type ShownIdea = z.output<typeof shownIdea>;
export type ShownFigure = z.output<typeof figure>;

const decision = z.object({
  approver: optional,
  role: optional,
  decision: optional,
  reason: optional,
  ts: optional,
});

/** The artifact under decision. An idea is read into its figures; anything else is shown by its post. */
const artifact = z.object({ type: z.string(), content: z.string() }).transform((stored) => {
  if (stored.type !== "idea") return null;
  try {
    return shownIdea.parse(JSON.parse(stored.content));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
});

const rehearsed = z.object({ lines: z.array(z.string()).max(64) });

/** What the rehearsal of a T3 effect found, in its own lines; null where there was none or it cannot be read. */
const dryRun = z.string().transform((content) => {
  try {
    return rehearsed.parse(JSON.parse(content)).lines;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
});

// `operator_approval` is the policy's word for a slot; a person is told the role.
const roles = list(text.transform((role) => role.replace(/_approval$/, "")));

const card = {
  code: text,
  tier: optional,
  action: optional,
  task_id: optional,
  goal: optional,
  score: optional,
  threshold: optional,
  red_flags: list(text),
  required_roles: roles,
  decided: list(decision),
  expires_at: optional,
  digest: optional,
  requested_by: optional,
  artifact: artifact.nullish().transform((idea) => idea ?? null).catch(null),
  post: optional,
  dry_run: dryRun.nullish().transform((lines) => lines ?? null).catch(null),
  second_factor: z.boolean().nullish().transform((asked) => asked ?? false).catch(false),
};

const withIdea = <T extends { artifact: ShownIdea | null }>({ artifact, ...rest }: T) => ({
  ...rest,
  idea: artifact,
});

/** What a member who may decide is shown. SQL sends the artifact; `idea` is what could be read of it. */
export const approvalCard = z.object({
  ...card,
  nonce: z.string().regex(/^[A-Za-z0-9_-]{16,40}$/),
}).transform(withIdea);
export type ApprovalCard = z.output<typeof approvalCard>;

/** The same card after something was decided; while `status` is open others still have to. `held`: by what, if at all. */
export const cardResult = z.object({
  ...card,
  status: optional,
  task_status: optional,
  held: optional,
}).transform(withIdea);
export type CardResult = z.output<typeof cardResult>;

/** One request in the answer to `/pending`; `required_roles` are who has to decide. */
const pendingRequest = z.object({
  code: text,
  tier: optional,
  action: optional,
  summary: optional,
  expires_at: optional,
  required_roles: roles,
  decided: list(decision),
});

export const reply = z.discriminatedUnion("reply", [
  z.object({ reply: z.literal("help") }),
  z.object({ reply: z.literal("usage"), about: optional }),
  z.object({
    reply: z.literal("pending"),
    requests: list(pendingRequest),
    unreachable: list(z.object({ name: optional, role: optional })),
  }),
  z.object({
    reply: z.literal("status"),
    task_id: optional,
    status: optional,
    tier: optional,
    action: optional,
    summary: optional,
    reason: optional,
    code: optional,
    created_at: optional,
    updated_at: optional,
    decisions: list(decision),
    steps: list(z.object({ node_id: optional, status: optional, agent: optional })),
  }),
  z.object({
    reply: z.literal("decided"),
    code: optional,
    decision: optional,
    status: optional,
    required_roles: roles,
  }),
  z.object({ reply: z.literal("refused"), refused: optional, code: optional, id: optional }),
  z.object({ reply: z.literal("stranger"), telegram_user_id: optional }),
  z.object({ reply: z.literal("paired"), name: optional, role: optional }),
  z.object({ reply: z.literal("already_member"), name: optional, role: optional }),
  ...emergencyReplies,
  ...secondFactorReplies,
  ...tradingReplies,
  ...accessReplies,
]);
export type Reply = z.output<typeof reply>;

export const announcement = z.object({
  topic: z.string(),
  name: optional,
  role: optional,
  by: optional,
  task_id: optional,
  tier: optional,
  action: optional,
  goal: optional,
  code: optional,
  reason: optional,
  effect_id: optional,
  channel: optional,
  required_roles: roles,
  severity: optional,
  subject: optional,
  value: optional,
  threshold: optional,
  pairs: z.array(z.object({ request: optional, response: optional })).nullish().catch(null),
  waiting: z.number().nullish().catch(null),
  ...emergencyNews,
});
export type Announcement = z.output<typeof announcement>;

export const notificationKinds = [
  "approval_card",
  "card_result",
  "reply",
  "announcement",
  "deletion",
  "join_approval",
  "join_refusal",
  "removal",
] as const;

/** One row of the outbox as `api.claim_notifications` hands it out. */
export const claimedNotification = z.object({
  notification_id: text,
  kind: z.enum(notificationKinds).catch("announcement"),
  recipient: optional,
  payload: z.unknown(),
  /** Which claim this is; its result counts for this one alone. */
  attempt: z.number().int(),
  edit_message_id: optional,
});
export type ClaimedNotification = z.output<typeof claimedNotification>;

export interface Button {
  text: string;
  callback_data: string;
}

/** A message to a person or a chat: plain text, perhaps one row of buttons. */
export interface OutgoingMessage {
  chat_id: string;
  text: string;
  buttons?: Button[];
}

/**
 * What became of a call, as far as it was seen. `retry`: certainly not done, try later. `unknown`: the answer was
 * not seen, so it may have been done; an effect then goes to a person.
 */
export type Delivery =
  | { outcome: "sent"; message_id: string }
  | {
    outcome: "retry";
    retry_after: number;
    error: string;
    /** Nobody answered, as opposed to an answer that asks to wait. */
    unreached?: true;
  }
  | { outcome: "blocked"; error: string }
  | { outcome: "failed"; error: string }
  | { outcome: "unknown"; error: string };

export interface MessageChannel {
  readonly name: "telegram" | "console";
  send(message: OutgoingMessage): Promise<Delivery>;
  edit(message: OutgoingMessage & { message_id: string }): Promise<Delivery>;
  answerCallback(answer: { callback_query_id: string; text: string }): Promise<Delivery>;
}
