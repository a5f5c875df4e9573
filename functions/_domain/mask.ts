import { maskHidden } from "./mask-encoded.ts";

// What must not be read in a log, in the database's free text or on Telegram. Every pattern is bounded and anchored on
// something a price, a symbol, a task id or a checksum does not have, so those pass untouched.

type Rule = [RegExp, string | ((match: string, ...groups: string[]) => string)];

const secretRules: Rule[] = [
  [
    /-----BEGIN [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,8192}?(?:-----END [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----|$)/g,
    "[private key]",
  ],
  // A JSON Web Token; the third part may be cut off or empty.
  [/\beyJ[\w-]{8,2048}\.[\w-]{8,4096}(?:\.[\w-]{0,1024})?/gi, "[token]"],
  [/\b(bearer|basic)\s{1,4}[A-Za-z0-9._~+\/-]{8,4096}={0,2}/gi, "$1 [token]"],
  [/(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,64}/g, "[token]"], // Telegram's bots
  [/\b(?:sk|pk|rk)[-_](?:[a-z]{2,12}[-_]){0,3}[A-Za-z0-9_-]{16,256}/gi, "[token]"],
  [/\bsb_(?:secret|publishable)_[A-Za-z0-9_-]{8,128}/gi, "[token]"],
  [
    /\b(?:gh[a-z]_|github_pat_|glpat-|npm_|hf_|xox[a-z]-|xapp-|whsec_|shpat_|ya29\.)[A-Za-z0-9_.-]{10,512}/gi,
    "[token]",
  ],
  [/\bSG\.[\w-]{10,64}(?:\.[\w-]{16,128})?/g, "[token]"],
  [/\bsg\.[\w-]{16,64}\.[\w-]{30,128}/gi, "[token]"],
  // A digit among them: "Asia" begins words, too.
  [/\b(?:AKIA|ASIA)(?=[A-Z]{0,16}\d)[A-Z0-9]{16}\b/gi, "[token]"],
  [/\bAIza[A-Za-z0-9_-]{30,64}/gi, "[token]"],
  [
    /https:\/\/(?:hooks\.slack\.com\/|(?:ptb\.|canary\.)?discord(?:app)?\.com\/api\/webhooks\/)[\w\/-]{8,256}/gi,
    "[token]",
  ],
  [
    /\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@\/"'\[\]]{0,128}):[^\s@\/"'\[\]]{1,256}@/gi,
    "$1:[secret]@",
  ],
  // Bitcoin's and Stellar's private keys, and extended private keys.
  [/\b(?=[a-z]{0,51}\d)[5KL][a-z0-9]{50,51}\b/gi, "[private key]"],
  [/\bS[A-Z2-7]{55}\b/gi, "[private key]"],
  [/\b[xyz]prv[a-z0-9]{100,112}\b/gi, "[private key]"],
  [
    /\b((?:seed|mnemonic|recovery)(?:[ _-]?(?:phrase|words?))?["']?\s{0,4}(?:is|[:=])?\s{0,4}["']?)[a-z]{3,8}(?:[ ,]{1,2}(?!(?:seed|mnemonic|recovery)(?:[ _-]?(?:phrase|words?))?\s{0,4}[:=])[a-z]{3,8}){11,23}\b/gi,
    "$1[secret]",
  ],
  [/\b(private[ _-]?key["']?\s{0,4}[:=]?\s{0,4}["']?)(?:0x)?[0-9a-f]{64}\b/gi, "$1[private key]"],
  [
    /\b((?:passphrase|password|passwd|pwd|[a-z_-]{0,24}secret|api[ _-]?key|(?:access|auth|refresh|bot|service)[ _-]?token|access[ _-]?key(?:[ _-]?id)?|session[ _-]?(?:id|token|key)|x-api-key|authorization|cookie|licen[cs]e[ _-]?(?:key|id))["']?\s{0,4}[:=]\s{0,4}["']?)(?!\[|(?:bearer|basic)\s)[^\s"',;&}\]\[]{3,512}/gi,
    "$1[secret]",
  ],
  [/\b(otp["']?\s{0,2}[:=]\s{0,2}["']?)\d{6,8}(?!\d)/gi, "$1[secret]"],
];

// Wherever money can be sent to. By their shape, since a look at the checksum would need the right case.
const walletRules: Rule[] = [
  [/\b0x[0-9a-f]{40}(?![0-9a-f])/gi, "[wallet]"],
  [/\b(?:bc|tb|ltc|bitcoincash:q|addr|cosmos|osmo)1[a-z0-9]{25,110}\b/gi, "[wallet]"],
  [/(?<![\w-])[EUk0]Q[\w-]{46}(?![\w-])/gi, "[wallet]"],
  [/(?<![\w:.-])(?:-1|0):[0-9a-f]{64}\b/gi, "[wallet]"],
  // Tron, and Bitcoin's older form: letters beyond hex and digits, so that no checksum is taken for one.
  [/\bT(?=[a-z]{0,32}\d)(?=[a-z0-9]{0,32}[g-z])[a-z0-9]{33}\b/gi, "[wallet]"],
  [/\b[13](?=[a-z0-9]{0,32}[g-z])(?=[0-9]{0,32}[a-z])[a-z0-9]{25,33}\b/gi, "[wallet]"],
  [
    /\b((?:wallet|solana|sol address|xrp|payout|deposit|withdrawal)(?: address)?["']?\s{0,4}(?:is|to|[:=])?\s{0,4}["']?)(?=[a-z]{0,43}\d)[a-z0-9]{32,44}\b/gi,
    "$1[wallet]",
  ],
];

const personalRules: Rule[] = [
  ...walletRules,
  [
    /(?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}\b/g,
    "[email]",
  ],
  [
    /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/gi,
    maskIban,
  ],
  [/(?<![\w.:-])(?:\d[ -]?){12,48}\d(?![\w.-]|:\d)/g, maskCards],
  // A plus and a country code, or the brackets and hyphens of a written number: a bare run of digits is none.
  [
    /(?<![\w.+])\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}(?![\w]|\.\d)/g,
    (match) => isPhone(match) ? "[phone]" : match,
  ],
  [/(?<![\w.+-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\w]|[.-]\d)/g, "[phone]"],
];

/** Keys, tokens and passwords only. */
export const maskSecrets = (text: string): string =>
  maskHidden(text, (plain) => settle(plain, secretRules));

/** Everything that is nobody's business: secrets, and what identifies a person or their money. Idempotent. */
export const mask = (text: string): string => maskHidden(text, (plain) => settle(plain, allRules));

const allRules = [...secretRules, ...personalRules];

/** The same for everything in a value that is text, keys included; what is no text stays as it is. */
export function maskDeep(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return mask(value);
  if (typeof value !== "object" || value === null || depth > 64) return value;
  if (Array.isArray(value)) return value.map((item) => maskDeep(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [mask(key), maskDeep(item, depth + 1)]),
  );
}

/** Until nothing changes: a mask can lay bare what a longer match hid. Three rounds were the most ever seen. */
function settle(text: string, rules: Rule[]): string {
  for (let round = 0; round < 16; round++) {
    const before = text;
    for (const [pattern, marker] of rules) {
      text = typeof marker === "string"
        ? text.replace(pattern, marker)
        : text.replace(pattern, marker);
    }
    if (text === before) break;
  }
  return text;
}

// The issuers' first digits: a timestamp in milliseconds begins with 1 and passes Luhn's test one time in ten.
const issuers =
  /^(4(\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}|35\d{14}|6(011|5\d\d)\d{12,15}|62\d{14,17})$/;

/** Cards among groups of digits: another number may stand right before or after one. */
function maskCards(match: string): string {
  const starts = [...match.matchAll(/(?<!\d)\d/g)].map(({ index }) => index);
  const ends = [...match.matchAll(/\d(?!\d)/g)].map(({ index }) => index + 1);
  for (const start of starts) {
    for (const end of ends) {
      if (end - start < 13 || end - start > 37 || !isCard(match.slice(start, end))) continue;
      return `${match.slice(0, start)}[card]${maskCards(match.slice(end))}`;
    }
  }
  return match;
}

function isCard(text: string): boolean {
  const number = text.replace(/\D/g, "");
  if (!issuers.test(number)) return false;
  let sum = 0;
  for (let at = 0; at < number.length; at++) {
    const digit = Number(number[number.length - 1 - at]) * (at % 2 === 1 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

// How long an account's number is in the countries that most are from. Without its country, one in a hundred words
// of the right shape would pass the check.
const ibanLengths = new Map(
  ("AD24 AE23 AL28 AT20 AZ28 BA20 BI27 BY28 CR22 DJ27 DO28 EG29 FK18 FO18 GL18 GT28 IQ23 JO30 LC32 LY25 MN20 MR27 MU30 NI28 OM23 PS29 RU33 SC31 SD18 SO23 ST25 SV28 TL23 VA22 VG24 YE30 BE16 BG22 BH22 BR29 CH21 CY28 CZ24 DE22 DK18 EE20 ES24 FI18 FR27 GB22 GE22 GI23 GR27 HR21 HU28 IE22 IL23 " +
    "IS26 IT27 KW30 KZ20 LB28 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MT31 NL18 NO15 PK24 PL28 PT25 QA29 RO24 RS22 SA24 SE24 " +
    "SI19 SK24 SM27 TN24 TR26 UA29 XK20").split(" ").map((
      entry,
    ): [string, number] => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** The match may have run on into the next words: the country says where the number ends. */
function maskIban(match: string): string {
  const length = ibanLengths.get(match.slice(0, 2).toUpperCase());
  if (length === undefined) return match;
  let at = 0;
  let iban = "";
  for (; at < match.length && iban.length < length; at++) if (match[at] !== " ") iban += match[at];
  const rest = match.slice(at);
  return iban.length === length && /^(?: |$)/.test(rest) && isIban(iban) ? `[iban]${rest}` : match;
}

function isIban(iban: string): boolean {
  let rest = 0;
  for (const char of iban.slice(4) + iban.slice(0, 4)) {
    const value = parseInt(char, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

const isPhone = (text: string): boolean => {
  const count = text.replace(/\D/g, "").length;
  return count >= 9 && count <= 15;
};
