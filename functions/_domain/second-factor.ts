import { z } from "zod";
import { clean } from "./telegram-text.ts";

/**
 * What the door says about a code, in its place. `valid` is null where the seed could not be opened, so that there was
 * nothing to compare it with: that is nobody's wrong guess.
 */
export interface Proof {
  valid: boolean | null;
  step: number | null;
}

/** A member's sealed seed, as `api.prepare_decision` hands it out. */
export const sealedSeed = z.object({ member_id: z.string(), ciphertext: z.string() });
export type SealedSeed = z.infer<typeof sealedSeed>;

const named = /(?<![A-Za-z0-9])otp\s{0,4}[:=]?\s{0,4}\p{Nd}(?:[ -]?\p{Nd}){0,15}/giu;
const six = /(?<!\p{Nd})\p{Nd}{3}[ -]?\p{Nd}{3}(?!\p{Nd})/gu;
const subject =
  /(?<![A-Za-z0-9])(?:T[0-3]-\d{8}-\d{4,9}|T-\d{4}-\d{2}-\d{2}-\d{4,9}|C-[A-Z2-7]{8})(?![A-Za-z0-9])/;
const subjectOrSix = new RegExp(`${subject.source}|${six.source}`, "gu");
const takesCode = /^\s*\/(?:approve|confirm|t3)(?![A-Za-z0-9_])/i;
const marker = "otp:[code]";

/** What follows the word `otp`, and any six digits after it: somebody who mistypes the command still typed the code. */
export function maskCodes(text: string): string {
  const from = text.search(/(?<![A-Za-z0-9])otp/i);
  if (from === -1) return text;
  return text.slice(0, from) + text.slice(from).replace(named, marker).replace(six, "[code]");
}

/**
 * Any six digits, for words that came with a command that takes a code: `otp` was left out or mistyped, the code was
 * not. The number of a request is none.
 */
export const maskSixDigits = (text: string): string =>
  maskCodes(text).replace(
    subjectOrSix,
    (found) => subject.test(found) ? found : "[code]",
  );

const takingCode: readonly string[] = ["approve", "confirm", "t3"];

const typed = z.object({ text: z.string() }).optional().catch(undefined);
const update = z.object({ message: typed, edited_message: typed });

/** Whether somebody typed a code, in its place or not. `raw` is an update that was read, hence JSON. */
export function holdsCode(raw: string): boolean {
  const read = update.safeParse(JSON.parse(raw));
  const text = clean(read.data?.message?.text ?? read.data?.edited_message?.text ?? "");
  return (takesCode.test(text) ? maskSixDigits(text) : maskCodes(text)) !== text;
}

/** An intent without its code, which nobody sees from here on but the comparison. */
export function withoutCode<T extends { type: string }>(
  intent: T,
): { intent: Omit<T, "otp">; otp: string | null } {
  const { otp, ...rest } = intent as T & { otp?: string | null };
  const hide = takingCode.includes(intent.type) ? maskSixDigits : maskCodes;
  const masked = "reason" in rest && typeof rest.reason === "string"
    ? { ...rest, reason: hide(rest.reason) }
    : rest;
  return { intent: masked as Omit<T, "otp">, otp: otp ?? null };
}
