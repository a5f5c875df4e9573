import type { AgentFact } from "../facts/agent.ts";
import type { CardFact } from "../facts/card.ts";
import type { Reading } from "../truth/reading.ts";

/**
 * What the source of the work says about what an agent holds. Open work that a live list does not have is closed; a list
 * that is stale, cut or blind says nothing about what it lacks.
 */
export function withWork(
  fact: AgentFact,
  cards: readonly Reading<readonly CardFact[]>[],
): AgentFact {
  const { claim, name, works_as } = fact;
  if (claim === null) return fact;
  for (const { status, value } of cards) {
    if (status === "unknown") continue;
    const card = value.find(({ id }) => id === claim.id);
    if (card === undefined) continue;
    const mine = card.assignees.find((login) => login === name || login === works_as);
    const assigned_to = mine ?? (card.assignees.join(", ") || "nobody");
    return {
      ...fact,
      claim: {
        ...claim,
        href: claim.href ?? card.href,
        assigned_to: claim.assigned_to ?? assigned_to,
        closed: claim.closed ?? card.closed,
      },
    };
  }
  const repo = /^([^#]+)#\d+$/.exec(claim.id)?.[1];
  const listed = repo !== undefined &&
    cards.some(({ source, status }) => source === `gitea:${repo}` && status === "live");
  return listed ? { ...fact, claim: { ...claim, closed: claim.closed ?? true } } : fact;
}
