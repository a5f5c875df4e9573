import { z } from "zod";
import { line, utc } from "./telegram-text.ts";

// Written by SQL, perhaps one version apart: what is missing says so, nothing is guessed.
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const optional = text.nullish().transform((value) => value ?? null).catch(null);
const flag = z.boolean().nullish().transform((value) => value ?? true).catch(true);

const stopped = z.object({ reply: z.literal("stopped"), scope: optional, changed: flag });
const notStopped = z.object({ reply: z.literal("not_stopped"), scope: optional });
const confirmation = z.object({
  reply: z.literal("confirmation"),
  code: optional,
  kind: optional,
  scope: optional,
  task_id: optional,
  expires_at: optional,
});
const declined = z.object({ ...confirmation.shape, reply: z.literal("declined") });
const resumed = z.object({
  reply: z.literal("resumed"),
  scope: optional,
  still_stopped: z.array(text).nullish().transform((scopes) => scopes ?? []).catch([]),
});
const granted = z.object({
  reply: z.literal("break_glass_granted"),
  task_id: optional,
  expires_at: optional,
});
const t3 = z.object({
  reply: z.literal("t3"),
  state: optional,
  changed: flag,
  released: z.number().int().nullish().transform((count) => count ?? 0).catch(0),
});
const resolved = z.object({
  reply: z.literal("resolved"),
  state: optional,
  effect_id: optional,
  task_id: optional,
  task_status: optional,
});

/** The answers to /stop, /resume, /confirm, /breakglass, /t3 and /resolve. */
export const emergencyReplies = [
  stopped,
  notStopped,
  confirmation,
  declined,
  resumed,
  granted,
  t3,
  resolved,
] as const;
const emergencyReply = z.discriminatedUnion("reply", emergencyReplies);

/** Fields that the announcements of this file have beside those of every other. */
export const emergencyNews = { scope: optional, state: optional, expires_at: optional };

const known = (value: string | null | undefined, limit = 64): string =>
  line(value ?? "", limit) || "unknown";
const what = (scope: string | null | undefined): string =>
  scope === "t3" ? "effects of tier T3" : "effects";
const shortId = (effect: string | null | undefined): string => known(effect?.slice(0, 8));

const subject = (asked: { kind: string | null; scope: string | null; task_id: string | null }) =>
  asked.kind === "break_glass"
    ? `letting the effect of ${known(asked.task_id)} through the stop`
    : `letting ${what(asked.scope)} start again`;

function compose(answer: z.output<typeof emergencyReply>): string {
  switch (answer.reply) {
    case "stopped":
      return answer.changed
        ? `Stopped: no ${
          what(answer.scope)
        } start from now on. /resume asks another person to end it.`
        : `Already stopped: no ${
          what(answer.scope)
        } start. What was asked for or allowed before no longer counts.`;
    case "not_stopped":
      return `Nothing to resume: ${what(answer.scope)} are not stopped.`;
    case "confirmation":
      return `Asked: ${subject(answer)}. Another person, one of you two an owner, writes until ` +
        `${utc(answer.expires_at)}: /confirm ${known(answer.code)} yes otp:<6 digits>`;
    case "declined":
      return `Declined: ${subject(answer)}. ${known(answer.code)} no longer counts.`;
    case "resumed": {
      const rest = answer.still_stopped.filter((scope) => scope !== answer.scope);
      return `Resumed: ${what(answer.scope)} may start again.` +
        (rest.length > 0 ? ` Still stopped: ${rest.map(what).join(", ")}.` : "");
    }
    case "break_glass_granted":
      return `The glass is broken for ${known(answer.task_id)}: its one effect may start until ` +
        `${utc(answer.expires_at)}, if everything else holds. Owners are told.`;
    case "t3":
      return `T3 execution is ${answer.changed ? "now" : "already"} ${known(answer.state, 8)}.` +
        (answer.released > 0 ? ` Tasks that were held and go on: ${answer.released}.` : "");
    case "resolved":
      return `Effect ${shortId(answer.effect_id)} is settled as ${known(answer.state, 16)}; ` +
        `${known(answer.task_id)} is ${known(answer.task_status, 32)}.`;
  }
}

/** Null: not this file's reply. */
export function emergencyReplyText(answer: { reply: string }): string | null {
  const parsed = emergencyReply.safeParse(answer);
  return parsed.success ? compose(parsed.data) : null;
}

interface News {
  topic: string;
  scope?: string | null;
  state?: string | null;
  expires_at?: string | null;
  task_id?: string | null;
  effect_id?: string | null;
  channel?: string | null;
  code?: string | null;
  reason?: string | null;
  by?: string | null;
}

/** Null: not this file's topic. `reasonText` says what a refusal's code means. */
export function emergencyAnnouncementText(
  news: News,
  reasonText: (reason: string) => string,
): string | null {
  const by = `by ${known(news.by)}`;
  const why = news.reason ? ` Reason: ${known(news.reason, 280)}.` : "";
  const task = known(news.task_id);
  const how = `until ${utc(news.expires_at)}: /confirm ${
    known(news.code)
  } yes otp:<6 digits>, or no`;
  switch (news.topic) {
    case "stopped":
      return `STOPPED ${by}: no ${what(news.scope)} start.${why}`;
    case "resume_asked":
      return `Resume asked ${by}: ${
        what(news.scope)
      } would start again.${why} Another person, one of the two an owner, answers ${how}.`;
    case "resume_declined":
      return `Resume declined ${by}: ${what(news.scope)} stay stopped.`;
    case "resumed":
      return `RESUMED, confirmed ${by}: ${what(news.scope)} may start again.${why}`;
    case "break_glass_asked":
      return `Break-glass asked ${by} for ${task}: its effect would start despite the stop.${why} Another person, one of the two an owner, answers ${how}.`;
    case "break_glass_declined":
      return `Break-glass for ${task} declined ${by}.`;
    case "break_glass_granted":
      return `BREAK-GLASS for ${task}, confirmed ${by}: its one effect may start until ${
        utc(news.expires_at)
      }.${why} /stop takes it back.`;
    case "break_glass_used":
      return `BREAK-GLASS used: effect ${
        shortId(news.effect_id)
      } of ${task} goes out despite the stop.${why}`;
    case "break_glass_refused":
      return `Break-glass for ${task} refused to ${known(news.by)}: ${
        reasonText(news.reason ?? "unknown")
      }`;
    case "t3_switched":
      return `T3 execution was switched ${known(news.state, 8)} ${by}.`;
    case "effect_unknown":
      return `Task ${task}: nobody saw whether its effect on ${
        known(news.channel, 32)
      } happened. ` +
        `Look there, then write: /resolve ${
          shortId(news.effect_id)
        } done|not-done <what you saw>. ` +
        `Whoever asked for it may not; it is not tried again.`;
    case "effect_resolved":
      return `Effect ${shortId(news.effect_id)} of ${task} was settled as ${
        known(news.state, 16)
      } ${by}.${why}`;
    default:
      return null;
  }
}
