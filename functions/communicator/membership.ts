import type { AtDoor, Membership } from "../_channels/telegram-membership.ts";
import { doorAndAccount } from "../_domain/access.ts";
import type { Delivery } from "../_domain/notification.ts";

export interface MembershipDeps {
  /** Null where there is no bot: what waits then waits on. */
  membership: Membership | null;
}

const noBotSeconds = 300;

async function carryOut(
  { membership }: MembershipDeps,
  payload: unknown,
  act: (membership: Membership, who: AtDoor) => Promise<Delivery>,
): Promise<Delivery> {
  const who = doorAndAccount.safeParse(payload);
  if (!who.success) return { outcome: "failed", error: "the payload is not readable" };
  if (membership === null) {
    return { outcome: "retry", retry_after: noBotSeconds, error: "there is no bot" };
  }
  const delivery = await act(membership, who.data);
  // The group refuses the bot, and not the person: nobody becomes unreachable by it.
  return delivery.outcome === "blocked" ? { outcome: "failed", error: delivery.error } : delivery;
}

type Chore = (deps: MembershipDeps, chat: unknown, payload: unknown) => Promise<Delivery>;

/** What is done at the door, by kind of notification. Each may be repeated: a second time changes nothing. */
export const membershipChores: Record<"join_approval" | "join_refusal" | "removal", Chore> = {
  join_approval: (deps, _, payload) =>
    carryOut(deps, payload, (membership, who) => membership.approve(who)),
  join_refusal: (deps, _, payload) =>
    carryOut(deps, payload, (membership, who) => membership.decline(who)),
  removal: (deps, _, payload) =>
    carryOut(deps, payload, (membership, who) => membership.remove(who)),
};
