import { z } from "zod";
import { line } from "./telegram-text.ts";

export const secondFactorReplies = [
  z.object({
    reply: z.literal("second_factor"),
    code: z.string().nullish().transform((value) => value ?? null).catch(null),
    enrolled: z.boolean().nullish().transform((value) => value ?? true).catch(true),
  }),
] as const;

/** A button has no room for a code, so whoever taps one is told what to type instead. Null: not this file's reply. */
export function secondFactorReplyText(
  answer: { reply: string; code?: unknown; enrolled?: unknown },
): string | null {
  if (answer.reply !== "second_factor") return null;
  const code = typeof answer.code === "string" ? line(answer.code, 64) : "<code>";
  const how = `To say yes, write: /approve ${code} yes otp:123456 with your authenticator's code.`;
  return answer.enrolled === false
    ? `You have no authenticator here yet: an owner enrols you (members enroll <name>). ${how}`
    : `${how} A no needs none.`;
}

interface News {
  topic: string;
  name?: string | null;
  role?: string | null;
  by?: string | null;
}

/** Null: not this file's topic. */
export function secondFactorAnnouncementText(news: News): string | null {
  const name = line(news.name ?? "", 64) || "unknown";
  const by = line(news.by ?? "", 64) || "unknown";
  switch (news.topic) {
    case "second_factor_enrolled":
      return `${name} has an authenticator for approvals from now on, enrolled by ${by}. If that was not agreed, remove it: members unenroll ${name}`;
    case "second_factor_removed":
      return `${name} has no authenticator for approvals any more, removed by ${by}.`;
    case "signing_key_added":
      return `Decisions are signed with key ${name} from now on. If nobody set APPROVAL_SIGNING_KEY anew, somebody else signs: rotate the database key and the webhook secret.`;
    default:
      return null;
  }
}
