import { HOTP, Secret, TOTP } from "otpauth";
import { sameSecret } from "./secret.ts";

/** What every authenticator app takes without being told: six digits of SHA-1, a new code each half minute. */
const form = { algorithm: "SHA1", digits: 6 } as const;
const period = 30;
/** 160 bits, the length of the hash (RFC 4226, section 4). */
const seedLength = 20;

const code = /^\d{6}$/;

export const newSeed = (): Uint8Array<ArrayBuffer> =>
  crypto.getRandomValues(new Uint8Array(seedLength));

const secretOf = (seed: Uint8Array<ArrayBuffer>) => new Secret({ buffer: seed.buffer });

export const stepAt = (at: Date): number => Math.floor(at.getTime() / 1000 / period);

export const codeOf = (seed: Uint8Array<ArrayBuffer>, step: number): string =>
  HOTP.generate({ ...form, secret: secretOf(seed), counter: step });

/**
 * Which half minute this code belongs to: now, the one before or the one after, else null. All three are made and
 * compared whatever the first comparison says; the library's own check stops at the first that fits.
 */
export async function stepOf(
  seed: Uint8Array<ArrayBuffer>,
  presented: string,
  at: Date,
): Promise<number | null> {
  if (!code.test(presented)) return null;
  const now = stepAt(at);
  const steps = [now - 1, now, now + 1];
  const matches = await Promise.all(
    steps.map((step) => sameSecret(presented, codeOf(seed, step))),
  );
  return steps.findLast((_, i) => matches[i]) ?? null;
}

/** What the app reads from the picture: whoever has this text has the second factor. */
export const enrolmentUri = (seed: Uint8Array<ArrayBuffer>, account: string): string =>
  new TOTP({ ...form, period, issuer: "Dynamic AGS", label: account, secret: secretOf(seed) })
    .toString();
