import { type Account, minute, type Request, type Update, type World } from "./world.ts";

/** A decision is signed by the door over what it was told; a yes in T3 carries a code of the member's own device. */

export function signatureProblem(
  world: World,
  { signed, decision }: Update["intent"] & { type: "answer" },
  request: Request,
  member: Account,
): string | null {
  if (signed === null) return "signature_missing";
  const same = world.requests[signed.request] === request && signed.digest === request.digest &&
    signed.decision === decision && signed.person === member.person && signed.role === member.role;
  return same && signed.known && Math.abs(world.now - signed.at) <= minute / 2
    ? null
    : "signature_mismatch";
}

export const stepAt = (now: number): number => Math.floor(now / 30_000);

/** A code counts once; five wrong ones in a quarter of an hour lock. */
export function secondFactorProblem(
  world: World,
  { factor }: Account,
  tier: string,
  proof: Update["proof"],
): string | null {
  if (tier !== "T3") return null;
  if (!factor.enrolled || proof === null) return "second_factor_required";
  const wrong = factor.wrong.filter((at) => at > world.now - 15 * minute);
  if (wrong.length >= 5) return "second_factor_locked";
  const near = Math.abs(proof.step - stepAt(world.now)) <= 1;
  if (proof.valid && near && proof.step > factor.lastStep) {
    factor.lastStep = proof.step;
    return null;
  }
  factor.wrong = [...wrong, world.now];
  return "second_factor_wrong";
}
