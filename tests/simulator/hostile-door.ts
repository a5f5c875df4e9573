import type { knocks, strays } from "./act.ts";
import type { Checker } from "./checker.ts";
import { strayBody } from "./stray.ts";
import { secret, type System } from "./system.ts";

/** The header that somebody presents who does not know the secret. */
export function knockHeader(knock: (typeof knocks)[number], kept: string): string | null {
  switch (knock) {
    case "none":
      return null;
    case "empty":
      return "";
    case "wrong":
      return "hook-secret_of_somebody_else";
    case "shortened":
      return kept.slice(0, -1);
    case "capitals":
      return kept.toUpperCase();
    case "doubled":
      return kept + kept;
  }
}

export async function strayUpdate(
  system: System,
  checker: Checker,
  stray: (typeof strays)[number],
  id: string,
): Promise<void> {
  const { body, stored } = strayBody(stray, id);
  const { status } = await system.knock(body, secret);
  checker.stray({ status, stray, id, stored });
}
