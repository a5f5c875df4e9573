/** What must not be read anywhere. `name` is what stands before the value where the value alone says nothing. */
export interface Canary {
  kind: string;
  name: string;
  value: string;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
/** The same letters for the same number, on every run. */
function letters(seed: number, length: number, from = alphabet): string {
  let state = seed * 2_654_435_761 % 2 ** 32;
  return Array.from({ length }, () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return from[Math.floor(state / 2 ** 32 * from.length)];
  }).join("");
}
const hex = (seed: number, length: number) => letters(seed, length, "0123456789abcdef");
const base32 = (seed: number, length: number) =>
  letters(seed, length, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");

const seeds = [
  "orbit lamp velvet canyon tiger frost maple anchor puzzle river ginger cactus",
  "winter salad candle forest garage humble island jacket kitten lemon market noodle",
  "arrow basket copper dragon engine flight garden hammer insect jungle kernel ladder",
];

const listed: Record<string, [name: string, value: string][]> = {
  email: [
    ["", "canary.one@mail.example.com"],
    ["", "canary+two@sub.example.org"],
    ["", "canary_three@example.co.uk"],
    ["", "c4nary@xn--bcher-kva.example"],
  ],
  phone: [
    ["", "+44 20 7946 0958"],
    ["", "+14155550123"],
    ["", "+49 1512 3456789"],
    ["", "(415) 555-0123"],
  ],
  card: [
    ["", "4111 1111 1111 1111"],
    ["", "5555555555554444"],
    ["", "378282246310005"],
    ["", "6011-1111-1111-1117"],
  ],
  iban: [
    ["", "DE89 3704 0044 0532 0130 00"],
    ["", "GB29NWBK60161331926819"],
    ["", "FR14 2004 1010 0505 0001 3M02 606"],
  ],
  wallet: [
    ["", `0x${hex(1, 40)}`],
    ["", `0x${hex(2, 40)}`],
    ["", `bc1q${letters(3, 38, "acdefghjklmnpqrstuvwxyz023456789")}`],
    ["", `EQ${letters(4, 45)}9`],
    ["", `0:${hex(5, 64)}`],
    ["", `TR7${letters(6, 30)}9`],
    ["", `1A7${letters(7, 29)}`],
  ],
  token: [
    ["", `sk-proj-${letters(8, 40)}`],
    ["", `ghp_${letters(9, 36)}`],
    ["", `xoxb-123456789012-${letters(10, 24)}`],
    ["", `123456789:AA${letters(11, 33)}`],
    ["", `eyJ${letters(12, 20)}.${letters(13, 40)}.${letters(14, 43)}`],
    ["", `AKIA${base32(15, 15)}7`],
    ["", `AIza${letters(16, 35)}`],
    ["", `whsec_${letters(17, 32)}`],
    ["", `glpat-${letters(18, 20)}`],
    ["", `npm_${letters(19, 36)}`],
    ["", `hf_${letters(20, 34)}`],
    ["", `sb_secret_${letters(21, 31)}`],
    ["", `SG.${letters(22, 22)}.${letters(23, 43)}`],
    ["Bearer ", letters(24, 40)],
  ],
  key: [
    ["", `5${letters(25, 49)}7`],
    ["", `S${base32(26, 55)}`],
    ["", `xprv${letters(27, 107)}`],
    ["private key: ", `0x${hex(28, 64)}`],
    ["private_key=", hex(29, 64)],
    ["api key: ", letters(30, 32)],
    ["api_secret=", letters(31, 40)],
  ],
  secret: [
    ["password: ", letters(32, 14)],
    ["passphrase=", letters(33, 18)],
    ["client_secret: ", letters(34, 30)],
    ["", "otp:493127"],
  ],
  seed: seeds.map((words) => ["seed phrase: ", words]),
};

export const canaries: Canary[] = Object.entries(listed).flatMap(([kind, all]) =>
  all.map(([name, value]) => ({ kind, name, value }))
);

const bytes = (text: string) => [...new TextEncoder().encode(text)];

/** Ways to write the same value. A whole one is encoded with its name, since a reader would decode both. */
export const disguises: Record<string, (canary: Canary) => string> = {
  plain: ({ name, value }) => name + value,
  base64: ({ name, value }) => btoa(name + value),
  hex: ({ name, value }) =>
    bytes(name + value).map((byte) => byte.toString(16).padStart(2, "0")).join(""),
  url: ({ name, value }) =>
    bytes(name + value).map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  split: ({ name, value }) => name + [...value].join("\u200b"),
  upper: ({ name, value }) => (name + value).toUpperCase(),
  lower: ({ name, value }) => (name + value).toLowerCase(),
};

/** Whether a place gives the value away, in any of the forms that were sent. */
export function givesAway(place: string, canary: Canary): string[] {
  const bare = place.replace(/[\u200b-\u200f\u2060\ufeff]|\\u200b/g, "").toLowerCase();
  const found = bare.includes(canary.value.toLowerCase()) ? ["in plain"] : [];
  for (const form of ["base64", "hex", "url"]) {
    if (place.includes(disguises[form](canary))) found.push(form);
  }
  return found;
}
