import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxAlertBytes, parseAlert } from "../../../functions/_domain/alert.ts";

const names = [
  "passphrase",
  "secret",
  "key",
  "token",
  "password",
  "license",
  "licence_id",
  "apiKey",
  "webhook_secret",
  "API-Secret",
  "auth",
  "pin",
  "email_token",
  "Authorization",
  "pass",
];
/** Recognisable wherever it turns up, and no word of the alert's own. */
const secret = fc.stringMatching(/^zq[a-z0-9]{8,24}$/);
const rough = fc.stringMatching(/^zq[a-z0-9]{8,12}[ !#$%^*()_+?.:-]?zq[a-z0-9]{4,12}$/);
const name = fc.constantFrom(...names);

const shows = (body: string, planted: string) => JSON.stringify(parseAlert(body)).includes(planted);

describe("a secret in a body never leaves the parser", () => {
  it("is gone from JSON, whatever the field's place and value", () => {
    fc.assert(fc.property(name, rough, fc.integer({ min: 0, max: 4 }), (field, planted, shape) => {
      const body = [
        { symbol: "X", action: "buy", [field]: planted },
        { symbol: "X", action: "buy", nested: { deep: [{ [field]: [planted, { x: planted }] }] } },
        { symbol: "X", action: "buy", [field]: planted, note: `again ${planted}` },
        { symbol: "X", action: "buy", note: JSON.stringify({ [field]: planted }) },
        { symbol: "X", action: "buy", [planted]: 1, [field]: planted },
      ][shape];
      expect(shows(JSON.stringify(body), planted)).toBe(false);
      expect(shows(JSON.stringify(body, null, 2), planted)).toBe(false);
      expect(shows(JSON.stringify(JSON.stringify(body)), planted)).toBe(false);
    }));
  });

  it("is gone from JSON that lost characters or its end", () => {
    const outside = '{"symbol":"X","action":"buy",';
    fc.assert(fc.property(name, secret, fc.nat(200), fc.nat(200), (field, planted, cut, hole) => {
      const head = outside.slice(0, hole % outside.length) +
        outside.slice(hole % outside.length + 1);
      const tail = `"${field}": "${planted}", "price": 1}`;
      const end = field.length + 5 + planted.length;
      expect(shows(head + tail.slice(0, Math.max(end, tail.length - cut)), planted)).toBe(false);
      for (
        const between of [
          '"',
          '":',
          '" "',
          '"=>"',
          '":"a\\"',
          "': '",
          '\\":\\"',
          '":{"v":"',
          '":["',
        ]
      ) {
        expect(shows(`${head}"${field}${between}${planted}", "price": 1`, planted)).toBe(false);
      }
    }));
  });

  it("is gone from lines, pairs, forms and quoted text", () => {
    fc.assert(fc.property(name, secret, (field, planted) => {
      for (
        const body of [
          `symbol=X\naction=buy\n${field}=${planted}`,
          `SYMBOL = X; SIGNAL = buy; ${field.toUpperCase()} = ${planted};`,
          `symbol=X&action=buy&${field}=${planted}`,
          `symbol=X action=buy ${field}=${planted}`,
          `BUY X @ 10 ${field}: ${planted}`,
          `""SYMBOL = X;\\\\nSIGNAL = buy;\\\\n${field} = ${planted}\\\\n""`,
          encodeURIComponent(JSON.stringify({ symbol: "X", action: "buy", [field]: planted })) +
          "=",
          `{"symbol":"X","action":"buy"} // ${field}: ${planted}`,
          `{"symbol":"X","action":"buy","pass\\u0077ord":"${planted}"}`,
        ]
      ) expect(body && shows(body, planted) ? body : "").toBe("");
    }));
  });

  it("is gone from the head of a licence line, readable or not", () => {
    for (
      const licence of ["60998877665544", "MY_LICENCE_ID", "fixture-licence-77x", "ab12cd34ef56"]
    ) {
      for (
        const rest of [
          "buy,EURUSD,0.1",
          "closelong,EURUSD",
          "buyy,EURUSD,0.1",
          "sell,EURUSD,sl=1,tp=2",
        ]
      ) {
        expect(shows(`${licence},${rest}`, licence)).toBe(false);
      }
    }
  });

  it("is gone when only its look gives it away", () => {
    const looks = [
      "Bearer abcdefghijklmnop1234",
      `sk-${"a1".repeat(16)}`,
      `ghp_${"b2".repeat(18)}`,
      `123456789:AA${"h".repeat(33)}`,
      `eyJhbGciOiJI.${"c".repeat(20)}.${"d".repeat(20)}`,
    ];
    for (const look of looks) {
      expect(shows(JSON.stringify({ symbol: "X", action: "buy", note: `see ${look}` }), look)).toBe(
        false,
      );
      expect(shows(`BUY X ${look}`, look)).toBe(false);
    }
  });
});

describe("the rest of the body stays", () => {
  it("as it was sent", () => {
    const body =
      '{ "symbol": "X",\t"action": "buy", "price": 10.50, "id": "x-1759054500123", "note": "key levels" }';
    expect(parseAlert(body).clean_body).toBe(body);
    const sentence =
      "Secret Sauce (14): order buy @ 2 filled on EURUSD. New strategy position is 2";
    expect(parseAlert(sentence)).toMatchObject({ ok: true, clean_body: sentence });
    expect(parseAlert("ETHUSD,buy").clean_body).toBe("ETHUSD,buy");
  });

  it("with a mark where the secret stood, and is still read", () => {
    const parsed = parseAlert('{"symbol":"X","secret":"fixture-1234","action":"buy"}');
    expect(parsed).toMatchObject({
      ok: true,
      clean_body: '{"symbol":"X","secret":"[removed]","action":"buy"}',
      alert: { side: "long", unknown_fields: [] },
    });
  });

  it("within 16 KiB of UTF-8, cut between characters", () => {
    for (
      const body of ["é".repeat(maxAlertBytes), "😀".repeat(maxAlertBytes), "a=1;".repeat(9000)]
    ) {
      const { clean_body } = parseAlert(body);
      expect(new TextEncoder().encode(clean_body).length).toBeLessThanOrEqual(maxAlertBytes);
      expect(clean_body).not.toMatch(/\ufffd$/);
    }
  });
});
