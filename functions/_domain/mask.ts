// What must not be read in a log, in the database's free text or on Telegram. Every pattern is bounded and anchored on
// something a price, a symbol, a task id or a checksum does not have, so those pass untouched.

type Rule = [RegExp, string | ((match: string, ...groups: string[]) => string)];

const secretRules: Rule[] = [
  [
    /-----BEGIN [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,8192}?(?:-----END [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----|$)/g,
    "[private key]",
  ],
  // A JSON Web Token; the third part may be cut off or empty.
  [/\beyJ[\w-]{8,2048}\.[\w-]{8,4096}(?:\.[\w-]{0,1024})?/g, "[token]"],
  [/\b(bearer|basic)\s{1,4}[A-Za-z0-9._~+\/-]{8,4096}={0,2}/gi, "$1 [token]"],
  [/(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,64}/g, "[token]"], // Telegram's bots
  [/\b(?:sk|pk|rk)[-_](?:[a-z]{2,12}[-_]){0,3}[A-Za-z0-9_-]{16,256}/g, "[token]"],
  [/\bsb_(?:secret|publishable)_[A-Za-z0-9_-]{8,128}/g, "[token]"],
  [
    /\b(?:gh[a-z]_|github_pat_|glpat-|npm_|hf_|xox[a-z]-|xapp-|whsec_|shpat_|SG\.|ya29\.)[A-Za-z0-9_.-]{10,512}/g,
    "[token]",
  ],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, "[token]"],
  [/\bAIza[A-Za-z0-9_-]{30,64}/g, "[token]"],
  [
    /https:\/\/(?:hooks\.slack\.com\/|(?:ptb\.|canary\.)?discord(?:app)?\.com\/api\/webhooks\/)[\w\/-]{8,256}/g,
    "[token]",
  ],
  [
    /\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@\/"'\[\]]{0,128}):[^\s@\/"'\[\]]{1,256}@/gi,
    "$1:[secret]@",
  ],
  // Bitcoin's and Stellar's private keys, and extended private keys.
  [/\b[5KL][1-9A-HJ-NP-Za-km-z]{50,51}\b/g, "[private key]"],
  [/\bS[A-Z2-7]{55}\b/g, "[private key]"],
  [/\b[xyz]prv[1-9A-HJ-NP-Za-km-z]{100,112}\b/g, "[private key]"],
  [
    /\b((?:seed|mnemonic|recovery)(?:[ _-]?(?:phrase|words?))?["']?\s{0,4}(?:is|[:=])?\s{0,4}["']?)[a-z]{3,8}(?:[ ,]{1,2}[a-z]{3,8}){11,23}\b/gi,
    "$1[secret]",
  ],
  [/\b(private[ _-]?key["']?\s{0,4}[:=]?\s{0,4}["']?)(?:0x)?[0-9a-f]{64}\b/gi, "$1[private key]"],
  [
    /\b((?:passphrase|password|passwd|pwd|[a-z_-]{0,24}secret|api[ _-]?key|(?:access|auth|refresh|bot|service)[ _-]?token|licen[cs]e[ _-]?(?:key|id))["']?\s{0,4}[:=]\s{0,4}["']?)(?!\[)[^\s"',;&}\]\[]{3,512}/gi,
    "$1[secret]",
  ],
];

const personalRules: Rule[] = [
  [
    /(?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}\b/g,
    "[email]",
  ],
  [
    /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g,
    (match) => isIban(match) ? "[iban]" : match,
  ],
  [/(?<![\w.:-])(?:\d[ -]?){12,18}\d(?![\w.-]|:\d)/g, (match) => isCard(match) ? "[card]" : match],
  // A plus and a country code, or the brackets and hyphens of a written number: a bare run of digits is none.
  [
    /(?<![\w.+])\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}(?![\w]|\.\d)/g,
    (match) => isPhone(match) ? "[phone]" : match,
  ],
  [/(?<![\w.+-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\w]|[.-]\d)/g, "[phone]"],
];

/** Keys, tokens and passwords only. */
export const maskSecrets = (text: string): string => settle(text, secretRules);

/** Everything that is nobody's business: secrets, and what identifies a person or their money. Idempotent. */
export const mask = (text: string): string => settle(text, [...secretRules, ...personalRules]);

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

function isIban(text: string): boolean {
  const iban = text.replaceAll(" ", "");
  if (iban.length < 15 || iban.length > 34) return false;
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
