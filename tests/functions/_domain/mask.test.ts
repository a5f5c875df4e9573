import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mask, maskDeep, maskSecrets } from "../../../functions/_domain/mask.ts";

const hex64 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

describe("mask", () => {
  it.each([
    ["write to ann.lee+x@mail.example.com today", "write to [email] today"],
    ["call +44 20 7946 0958 now", "call [phone] now"],
    ["call +14155550123", "call [phone]"],
    ["call (415) 555-0123 or 415-555-0123", "call [phone] or [phone]"],
    ["card 4111 1111 1111 1111 ok", "card [card] ok"],
    ["card 378282246310005", "card [card]"],
    ["to DE89 3704 0044 0532 0130 00.", "to [iban]."],
    ["GB29NWBK60161331926819", "[iban]"],
    [`sk-proj-${"aB3".repeat(10)}`, "[token]"],
    [`ghp_${"a1".repeat(18)} and xoxb-123456789012-abcdefghij`, "[token] and [token]"],
    [`bot 123456789:AA${"x".repeat(33)}`, "bot [token]"],
    [
      `https://api.telegram.org/bot123456789:AA${"x".repeat(33)}/getMe`,
      "https://api.telegram.org/bot[token]/getMe",
    ],
    ["Authorization: Bearer abcdef0123456789", "Authorization: Bearer [token]"],
    [`eyJhbGciOiJIUzI1NiJ9.${"a".repeat(20)}.${"b".repeat(20)}`, "[token]"],
    ["postgres://app:hunter22@db.example:5432/x", "postgres://app:[secret]@db.example:5432/x"],
    ["password: hunter22, next", "password: [secret], next"],
    [`private key 0x${hex64}`, "private key [private key]"],
    ["-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY----- end", "[private key] end"],
    ["-----BEGIN PRIVATE KEY-----\nabc, cut off", "[private key]"],
    [`seed phrase: ${"abandon ".repeat(11)}about`, "seed phrase: [secret]"],
    [`5${"J".repeat(50)}`, "[private key]"],
  ])("%s → %s", (text, expected) => {
    expect(mask(text)).toBe(expected);
  });

  it.each([
    "Long BTCUSDT at 109500.25, stop loss 108500, take profit 112500, reward to risk 2.5",
    "prices 67000 66000 69000 1.08523 0.000012345678 12345678901234567.123",
    "T-2025-09-28-0012 and T2-20250928-0012",
    `sha256 ${hex64}`,
    "2025-09-28T10:15:00.000Z 1759054500 1759054500123 1759054500123456 1759054500123456789",
    "BINANCE:BTCUSDT.P, ES1!, EUR/USD, BRK.B @ 10 on 15m",
    "supa://artifacts/T-2025-09-28-0012/idea-1 9b2f0c1e-6c1d-4f0e-9d5a-0c2f5c1a7b11",
    "range 64000-65000, size +1500, change -12.5%",
    "key level: 65000; the token rallied; a secret to nobody",
    "the market is calm and the range is tight with no news or data due today so we wait",
  ])("leaves alone: %s", (text) => {
    expect(mask(text)).toBe(text);
  });

  it.each([
    ["pay 0x52908400098527886E0F7030069857D2E4169EE7 now", "pay [wallet] now"],
    [`to 0:${hex64}`, "to [wallet]"],
    ["3 4111 1111 1111 1111 2 more", "3 [card] 2 more"],
    ["write to ann\u200b.lee@mail.ex\u200bample.com", "write to [email]"],
    ["card ４１１１ １１１１ １１１１ １１１１", "card [card]"],
    [`ref ${btoa("password: hunter22-hunter22")} end`, "ref [masked] end"],
    [`since ${Buffer.from("ann.lee@mail.example.com").toString("hex")}`, "since [masked]"],
    ["u=ann.lee%40mail.example.com&x=1", "u=[masked]&x=1"],
    [btoa(btoa("sk-proj-aB3aB3aB3aB3aB3aB3aB3")), "[masked]"],
    [
      `seed phrase: ${"abandon ".repeat(12)}and seed phrase: ${"ability ".repeat(11)}able`,
      "seed phrase: [secret] seed phrase: [secret]",
    ],
    ["otp:123456 please", "otp:[secret] please"],
    ["GB29 nwbk 6016 1331 9268 19 is ours", "[iban] is ours"],
  ])("sees through: %s", (text, expected) => {
    expect(mask(text)).toBe(expected);
  });

  it("masks keys and values alike, and leaves what is no text", () => {
    expect(maskDeep({ "a@b.example": [1, null, true, { to: "a@b.example" }] })).toEqual({
      "[email]": [1, null, true, { to: "[email]" }],
    });
  });

  it("takes secrets alone where only they are asked for, encoded ones too", () => {
    expect(maskSecrets("a@b.example password: hunter22")).toBe("a@b.example password: [secret]");
    expect(maskSecrets(btoa("api_key=abcdefgh12345678"))).toBe("[masked]");
  });

  it("never turns text into a quote, a bracket or a backslash", () => {
    const tricky = '{"a":"４１１１１１１１１１１１１１１１＂，＂b＂：＂＼"}';
    expect(JSON.parse(mask(tricky))).toEqual({ a: "[card]＂，＂b＂:＂＼" });
  });

  it("changes nothing the second time", () => {
    const piece = fc.constantFrom(
      "a@b.co",
      "+4915112345678",
      "4111111111111111",
      "DE89370400440532013000",
      "Bearer abcdefgh12345",
      "password:",
      "secret=",
      "[email]",
      "[token]",
      " ",
      ":",
      "@",
      "1",
      "123456:",
      "sk-",
      "ghp_",
      "abcdefghijklmnop",
      "x://u:",
      "seed ",
      "abandon ",
      "eyJabcdefghij.",
      "-----BEGIN PRIVATE KEY-----",
      "\n",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 200 }),
          fc.array(piece, { maxLength: 30 }).map((parts) => parts.join("")),
        ),
        (text) => {
          const once = mask(text);
          expect(mask(once)).toBe(once);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
