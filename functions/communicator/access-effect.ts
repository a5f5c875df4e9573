import type { Membership } from "../_channels/telegram-membership.ts";
import { confirmEffect } from "../_database/confirm-effect.ts";
import type { Database } from "../_database/database.ts";
import { accessGrant, inviteName } from "../_domain/access.ts";
import { type Breakers, type Leave, outcomeOfDelivery, withLeave } from "../_domain/breaker.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import { errorOf, fail, giveBack, lease, outcomeOf } from "./step-outcome.ts";

export interface AccessDeps {
  database: Database;
  /** Null where there is no bot. */
  membership: Membership | null;
  /** VIP_CHAT_ID, the door that is opened. */
  vip_chat_id: string | null;
  breakers: Breakers;
  /** Has the price that the cap is held against recorded anew; null where no source is set. */
  refresh_quote: (() => Promise<void>) | null;
  now: () => Date;
  policy_sha256: string | null;
}

interface Answer {
  refused?: string;
  reason?: string;
  effect_id?: string;
  status?: string;
  payload?: unknown;
}

/** Whether this step lets somebody in: then nothing is published. */
export const isAccess = (work: StepWork): boolean =>
  work.task.action === "PAYMENT" && work.is_effect;

/** What was approved: the member `grant` of the proposal, which the database holds against its own copy. */
function grantOf(work: StepWork): unknown {
  const proposal = work.inputs.findLast(({ type, node_id }) =>
    type === "proposal" && node_id === "act"
  );
  try {
    return Object(JSON.parse(proposal?.content ?? "null")).grant;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Refusal("insufficient_data", "The proposal is not readable.");
  }
}

function readGrant(value: unknown) {
  const grant = accessGrant.safeParse(value);
  if (!grant.success) {
    throw new Refusal("insufficient_data", "The proposal grants nobody an access.");
  }
  return grant.data;
}

/** Reserve, start, invite, confirm. Everything that has to hold is looked at in the database, twice. */
export async function grantAccess(deps: AccessDeps, work: StepWork): Promise<void> {
  const { membership, vip_chat_id } = deps;
  const grant = readGrant(grantOf(work));
  if (membership === null || vip_chat_id === null) {
    const reason = membership === null ? "There is no bot." : "VIP_CHAT_ID is not set.";
    return await fail(deps.database, work, "no_channel", reason);
  }
  // A door that does not answer is found before an approval is used up.
  await withLeave(
    deps.breakers,
    "telegram.invite",
    (leave) => invite({ ...deps, membership, vip_chat_id }, work, grant, leave),
  );
}

type OpenDoor = AccessDeps & { membership: Membership; vip_chat_id: string };

/** Whether the door was asked: what it said is then told to its breaker. */
async function invite(
  deps: OpenDoor,
  work: StepWork,
  grant: ReturnType<typeof readGrant>,
  leave: Leave,
): Promise<boolean> {
  const { database, membership, vip_chat_id } = deps;
  // The cap is in USDT: the gates of the reservation and of the start want a price that is seconds old, and say so.
  await deps.refresh_quote?.();
  const reserved = await database.call<Answer>("reserve_effect", {
    ...lease(work),
    p_kind: "access",
    p_channel: "telegram",
    p_destination: vip_chat_id,
    p_payload: grant,
    p_policy_sha256: deps.policy_sha256,
  });
  if (reserved.refused) {
    await giveBack(database, work, reserved);
    return false;
  }
  if (reserved.status !== "reserved") return false;
  // Of a reservation that a dead worker left behind, what it says counts.
  const granted = readGrant(reserved.payload ?? grant);
  const fence = {
    p_effect_id: reserved.effect_id,
    p_attempt: work.attempt,
    p_lease_token: work.lease_token,
  };
  if ((await database.call<Answer>("start_effect", fence)).refused) return false;
  const expires = new Date(deps.now().getTime() + Number(granted.join_minutes) * 60_000);
  const delivery = await membership.invite({
    chat_id: vip_chat_id,
    name: inviteName(granted, work.task_id),
    expires_at: expires,
  });
  // The link goes into the receipt: the grant's own transaction sends it to the buyer.
  const link_expires_at = expires.toISOString();
  const outcome = outcomeOf(delivery, (invite_link) => ({ invite_link, link_expires_at }));
  await confirmEffect(database, { ...fence, ...outcome });
  await deps.breakers.report(leave, outcomeOfDelivery(delivery), errorOf(delivery));
  return true;
}
