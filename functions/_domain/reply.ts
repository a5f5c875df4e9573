import { accessAnnouncementText, accessReplyText } from "./access-reply.ts";
import { emergencyAnnouncementText, emergencyReplyText } from "./emergency-reply.ts";
import { type Announcement, type Reply, reply } from "./notification.ts";
import { reliabilityAnnouncementText } from "./reliability-reply.ts";
import { secondFactorAnnouncementText, secondFactorReplyText } from "./second-factor-reply.ts";
import { tradingAnnouncementText, tradingReplyText } from "./trading-reply.ts";

import { isRefusalCode, type RefusalCode, refusals } from "./refusal.ts";
import { clip, line, messageLimit, utc } from "./telegram-text.ts";

const known = (value: string | null, limit = 64): string =>
  value === null || line(value, limit) === "" ? "unknown" : line(value, limit);

const commands = [
  "/pending: what waits for a decision",
  "/approve <code> yes|no [otp:<6 digits>] [reason]: decide; the code is on the card, e.g. T2-20250928-0012",
  "/status <code or task id>: where a task stands",
  "/stop [t3] [reason]: no effect starts any more, at once; t3 for trades and payments alone",
  "/resume [t3] [reason]: asks another person to end a stop",
  "/confirm <code> yes|no otp:<6 digits>: the second person's answer",
  "/breakglass <code or task id> <reason>: asks to let one approved effect through a stop",
  "/resolve <effect> done|not-done [reason]: what became of an effect that nobody saw",
  "/t3 on|off otp:<6 digits>: switches trades and payments on or off",
  "/positions [account], /pnl [account]: what is open, and what it brought",
  "/help: this list",
];
const usages: Record<string, string> = {
  confirm: "Write: /confirm <code> yes|no otp:<6 digits>, e.g. /confirm C-7K3MQQ2A yes otp:123456",
  breakglass: "Write: /breakglass <code or task id> <reason>. The reason is not optional.",
  resolve: "Write: /resolve <effect> done|not-done [reason]; the effect's id is in the message.",
  t3: "Write: /t3 on otp:<6 digits>, or /t3 off",
  positions: "Write /positions, or /positions <account>.",
  pnl: "Write /pnl, or /pnl <account>.",
  approve:
    "Write: /approve <code> yes|no [otp:<6 digits>] [reason], e.g. /approve T2-20250928-0012 no too late",
  pending: "Write /pending alone.",
  status: "Write: /status <code or task id>, e.g. /status T-2025-09-28-0012",
  help: "Write /help alone.",
};

/** What a refused person can do next; the rest is said by the refusal's own meaning. */
const advice: Partial<Record<RefusalCode, string>> = {
  not_a_member: "Send /start and give your numeric id to an owner.",
  wrong_role: "See /pending for who may decide it.",
  self_approval: "Another member has to decide.",
  dual_control_violation: "A second person has to decide.",
  already_decided: "See /status with its code.",
  request_closed: "See /status with its code.",
  request_expired: "Whoever asked has to ask again.",
  unknown_request: "Compare the code with the card, or send /pending.",
  sender_not_personal:
    "Type it yourself, here, as a new message: not forwarded, not edited, not quoted.",
  digest_drift: "Look at the newest card and decide that one.",
  pairing_failed: "Take the newest code from the platform's start screen.",
  policy_invalid: "An owner has to repair the policy first.",
  not_found: "Compare the id, or send /pending.",
  policy_not_active: "Wait until the approved policy is in force.",
  policy_not_approved:
    "An owner has to have the deployed policy approved, or deploy the approved one.",
  second_factor_required: "Send it again with the code of your authenticator: otp:<6 digits>.",
  second_factor_wrong: "Wait for the next code of your authenticator and send that.",
  second_factor_locked: "Wait 15 minutes.",
  signature_missing: "An owner has to set APPROVAL_SIGNING_KEY.",
  signature_mismatch: "Send it again.",
  replanning: "A new card comes if anything changed.",
  stopped: "An owner and another person can end it: /resume.",
  break_glass_invalid: "No stop holds that task, it has ended, or its effect has left.",
  unknown_confirmation: "Compare the code.",
  confirmation_expired: "Ask again.",
};

/** One sentence for a refusal, and what to do. An unknown code stays a code, never a guess. */
export function refusalText(code: string | null): string {
  if (!isRefusalCode(code)) return `Refused (${known(code)}).`;
  return [refusals[code].meaning, advice[code]].filter(Boolean).join(" ");
}

const decisionLine = (
  decided: { approver: string | null; role: string | null; decision: string | null },
) => `- ${known(decided.approver)} (${known(decided.role, 16)}): ${known(decided.decision, 16)}`;

function pendingText({ requests, unreachable }: Extract<Reply, { reply: "pending" }>): string {
  const shown = requests.slice(0, 8);
  const rest = requests.length - shown.length;
  return [
    requests.length === 0
      ? "Nothing waits for a decision."
      : `Waiting for a decision: ${requests.length}`,
    ...shown.flatMap((request) => [
      `${known(request.code)} ${known(request.action)}: ${known(request.summary, 80)}`,
      `- needs ${list(request.required_roles)}, until ${utc(request.expires_at)}`,
      ...request.decided.slice(0, 3).map(decisionLine),
    ]),
    ...(rest > 0 ? [`and ${rest} more`] : []),
    ...unreachable.slice(0, 4).map((member) =>
      `The bot cannot write to ${known(member.name)} (${
        known(member.role, 16)
      }): they have to send it /start.`
    ),
  ].join("\n");
}

const list = (values: string[]): string => known(values.slice(0, 8).join(", ") || null, 96);

function statusText(answer: Extract<Reply, { reply: "status" }>): string {
  return [
    `${known(answer.task_id)}: ${known(answer.status)}`,
    `${known(answer.tier, 8)} ${known(answer.action)}: ${known(answer.summary, 280)}`,
    ...(answer.reason === null ? [] : [`Reason: ${reasonText(answer.reason)}`]),
    ...(answer.code === null ? [] : [`Request: ${known(answer.code)}`]),
    ...answer.steps.slice(0, 16).map((step) =>
      `- ${known(step.node_id, 32)}: ${known(step.status, 32)} (${known(step.agent, 48)})`
    ),
    ...answer.decisions.slice(0, 8).map(decisionLine),
    `Since ${utc(answer.created_at)}, last change ${utc(answer.updated_at)}`,
  ].join("\n");
}

function decidedText(answer: Extract<Reply, { reply: "decided" }>): string {
  const verdict = answer.decision === "approve"
    ? "Approved"
    : answer.decision === "reject"
    ? "Rejected"
    : "Decided";
  const roles = list(answer.required_roles);
  const next = answer.status === "open"
    ? ` It still needs another person (${roles}).`
    : answer.status === null
    ? ""
    : ` The request is ${known(answer.status, 32)}.`;
  return `${verdict}: ${known(answer.code)}.${next}`;
}

/** What belongs to one subject is said in that subject's file. */
const ofSubject = (answer: Reply): string | null =>
  emergencyReplyText(answer) ?? secondFactorReplyText(answer) ?? tradingReplyText(answer) ??
    accessReplyText(answer);

function compose(answer: Reply): string {
  return ofSubject(answer) ?? composeGeneral(answer);
}

function composeGeneral(answer: Reply): string {
  switch (answer.reply) {
    case "help":
      return commands.join("\n");
    case "usage":
      return Object.hasOwn(usages, answer.about ?? "")
        ? usages[answer.about ?? ""]
        : ["I did not understand that.", ...commands].join("\n");
    case "pending":
      return pendingText(answer);
    case "status":
      return statusText(answer);
    case "decided":
      return decidedText(answer);
    case "refused": {
      const subject = answer.code ?? answer.id;
      return (subject === null ? "" : `${known(subject)}: `) + refusalText(answer.refused);
    }
    // Whoever found the bot by chance learns nothing from it, not even whether a pairing code was wrong.
    case "stranger":
      return known(answer.telegram_user_id);
    case "paired":
      return `You are now ${known(answer.role, 16)} as ${known(answer.name)}. Send /help.`;
    case "already_member":
      return `You are ${known(answer.role, 16)} as ${known(answer.name)}. Send /help.`;
    default:
      return "";
  }
}

/** The text of a reply. A stranger gets the numeric id and nothing else. */
export const replyText = (answer: Reply): string => clip(compose(answer), messageLimit);

/**
 * What a tapped button shows, at most 200 characters: the outcome, or why not. An update that came a second time
 * has nothing new to say.
 */
export function callbackText(
  answer: { reply?: unknown; refused?: unknown; [field: string]: unknown },
): string {
  const parsed = reply.safeParse(answer);
  if (parsed.success) return line(replyText(parsed.data), 200);
  return typeof answer.refused === "string" ? line(refusalText(answer.refused), 200) : "";
}

// Reasons that are no refusal codes.
const reasons: Record<string, string> = {
  approval_rejected: "A person said no.",
};

function reasonText(reason: string): string {
  if (isRefusalCode(reason)) return refusals[reason].meaning;
  return Object.hasOwn(reasons, reason) ? reasons[reason] : known(reason, 280);
}

const why = (news: Announcement): string =>
  news.reason === null ? "" : ` ${reasonText(news.reason)}`;

function announce(news: Announcement): string {
  const ofItsSubject = emergencyAnnouncementText(news, reasonText) ??
    secondFactorAnnouncementText(news) ?? accessAnnouncementText(news) ??
    tradingAnnouncementText(news) ?? reliabilityAnnouncementText(news);
  if (ofItsSubject !== null) return ofItsSubject;
  const task = `Task ${known(news.task_id)}`;
  const member = `${known(news.name)} (${known(news.role, 16)})`;
  const about = news.goal === null ? "" : ` It was: ${known(news.goal, 280)}.`;
  switch (news.topic) {
    case "member_added":
      return `Members: ${member} was added by ${
        known(news.by)
      }. If that is wrong, remove them at once.`;
    case "member_removed":
      return `Members: ${member} was removed by ${
        known(news.by)
      }. Their open decisions no longer count.`;
    case "member_unreachable":
      return `The bot cannot write to ${member}: they have to open the chat with it and send /start.`;
    case "alert":
      return `ALERT ${known(news.code)}: ${known(news.subject, 160)}` +
        (news.value === null ? "" : `, ${known(news.value)}`) +
        (news.threshold === null ? "" : ` (limit ${known(news.threshold)})`);
    case "no_approver":
      return `${known(news.code)} waits, and nobody can be asked: it needs ` +
        `${list(news.required_roles)}. Add such a member.`;
    case "task_rejected":
      return `${task} was rejected.${why(news)}${about}`;
    case "task_failed":
      return `${task} failed.${why(news)}${about} See /status ${known(news.task_id)}.`;
    case "request_expired":
      return `${known(news.code)} expired without a decision, which counts as no.${about}`;
    case "incident":
      return `Incident in ${known(news.task_id)}.${why(news)}${about}`;
    default:
      return `${known(news.topic)}: ${known(news.task_id)}.${why(news)}${about}`;
  }
}

export const announcementText = (news: Announcement): string => clip(announce(news), messageLimit);
