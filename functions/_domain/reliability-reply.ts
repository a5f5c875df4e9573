import { line } from "./telegram-text.ts";

interface News {
  topic: string;
  subject?: string | null;
  reason?: string | null;
  by?: string | null;
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
    default:
      return null;
  }
}
