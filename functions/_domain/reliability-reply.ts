import { mask } from "./mask.ts";
import { line } from "./telegram-text.ts";

interface News {
  topic: string;
  subject?: string | null;
  reason?: string | null;
  by?: string | null;
  pairs?: { request?: string | null; response?: string | null }[] | null;
  waiting?: number | null;
}

const known = (value: string | null | undefined, limit = 64): string =>
  line(value ?? "", limit) || "unknown";

/** Null: not this file's topic. */
export function reliabilityAnnouncementText(news: News): string | null {
  const tool = known(news.subject);
  const why = news.reason ? ` It said: ${known(news.reason, 280)}.` : "";
  switch (news.topic) {
    case "breaker_opened":
      return news.by === "breaker"
        ? `${tool} failed five times in a row and is left alone. What needs it waits; after two minutes one call asks whether it is back.${why}`
        : `${tool} is left alone by ${
          known(news.by)
        }. What needs it waits; after two minutes one call asks whether it is back.${
          why.replace("It said", "Reason")
        }`;
    case "breaker_closed":
      return news.by === "breaker"
        ? `${tool} answers again. What waited for it goes on, a few at a time.`
        : `${tool} is trusted again by ${
          known(news.by)
        }. What waited for it goes on, a few at a time.`;
    case "tool_failure": {
      const pairs = (news.pairs ?? []).slice(0, 5).map(({ request, response }) =>
        `\n- ${known(mask(request ?? ""), 120)}: ${known(mask(response ?? ""), 200)}`
      );
      return `${tool} fails and is left alone by ${known(news.by)}; ${
        news.waiting ?? "unknown"
      } steps wait for it.${pairs.length > 0 ? " What was asked, and what it said:" : ""}${
        pairs.join("")
      }`;
    }
    default:
      return null;
  }
}
