import { expect } from "vitest";
import { drop, given, type Guard, never, refuses, replace } from "./guard.ts";
import { type House, newcomer, one, setPolicy, signal, trade, yes } from "./house.ts";
import { decide, secondFactor } from "../support/line.ts";

/** Each field of a signature, how the check of it is taken out, and another value for it. */
const fields: [string, string, unknown][] = [
  ["code", "p_request.code", "T2-20270501-9999"],
  ["decision", "p_decision", "reject"],
  ["person", "p_member.person_id", "11111111-1111-4111-8111-111111111111"],
  ["role", "p_member.role", "owner"],
  ["digest", "p_request.digest", "0".repeat(64)],
];

const mismatch = (
  test: string,
  signed: Record<string, unknown>,
): Pick<Guard, "test" | "probe"> => ({
  test,
  async probe(house) {
    const { code } = await signal(house);
    refuses(await yes(house, "1001", code, { signed }), "signature_mismatch");
  },
});

const factor = async (house: House, proof: unknown, from = "1001", code?: string) =>
  yes(house, from, code ?? (await trade(house)).code, { second_factor: proof });

const right = async (house: House, off = 0) => {
  const proof = await secondFactor(house, "1001") as { step: number };
  return { valid: true, step: proof.step + off };
};

export const guardsOfSignatures: Guard[] = [
  {
    name: "No decision counts without the door's signature",
    promise: "signature",
    test: "a yes without a signature is refused",
    without: replace("private.signature_problem", "return 'signature_missing'", "return null"),
    async probe(house) {
      const { code } = await signal(house);
      refuses(await yes(house, "1001", code, { signed: null }), "signature_missing");
    },
  },
  ...fields.map(([name, own, other]): Guard => ({
    name: `A signature is over the ${name} that the database would write`,
    promise: "signature",
    ...mismatch(`a signature over another ${name} is refused`, { [name]: other }),
    without: replace(
      "private.signature_problem",
      `'${name}', ${own}`,
      `'${name}', p_signed -> '${name}'`,
    ),
  })),
  {
    name: "A decision is signed by a key on record",
    promise: "signature",
    ...mismatch("a signature by a key that nobody reported is refused", { key_id: "0".repeat(16) }),
    without: never(
      "private.signature_problem",
      "not exists (select 1 from public.signing_keys k where k.key_id = p_signed ->> 'key_id')",
    ),
  },
  {
    name: "A signature is 64 bytes",
    promise: "signature",
    ...mismatch("a signature that is none is refused", { signature: "AAAA" }),
    without: never(
      "private.signature_problem",
      "p_signed ->> 'signature' !~ '^[A-Za-z0-9+/]{85}[AQgw]==$'",
    ),
  },
  {
    name: "A signature is of now",
    promise: "signature",
    test: "a signature of 31 seconds ago, or ahead, is refused",
    without: replace("private.signature_problem", "> 30 then", "> 1e9 then"),
    async probe(house) {
      for (const off of [-31, 31]) {
        const { code } = await signal(house);
        const signed_at = await one(
          house,
          "select private.iso(private.now() + make_interval(secs => $1::double precision)) as value",
          [off],
        );
        refuses(await yes(house, "1001", code, { signed: { signed_at } }), "signature_mismatch");
      }
    },
  },
  {
    name: "Every owner is told of a new signing key",
    promise: "signature",
    test: "a key that was never seen is announced",
    without: never("api.report_signing_key", "found"),
    async probe(house) {
      const key = Buffer.alloc(32, Math.floor(Math.random() * 200) + 20).toString("base64");
      const told = () =>
        one<string>(
          house,
          "select count(*)::text as value from public.notifications where payload_json ->> 'topic' = 'signing_key_added' and recipient = '1002'",
        );
      const before = await told();
      await house.database.call("report_signing_key", { p_public_key: key });
      expect(await told()).not.toBe(before);
    },
  },
  {
    name: "T3 demands a second factor whatever the policy says",
    promise: "factor",
    test: "a yes to T3 without a code is refused though the policy demands none",
    without: replace("private.second_factor_demanded", "or p_tier = 'T3' or", "or"),
    async probe(house) {
      await setPolicy(house, "{second_factor,required}", []);
      refuses(await factor(house, null), "second_factor_required");
    },
  },
  {
    name: "A yes asks for the second factor before it is written",
    promise: "factor",
    test: "a yes to T3 without a code is refused",
    without: never("private.decide", "v_code is null and p_decision = 'approve'"),
    async probe(house) {
      refuses(await factor(house, null), "second_factor_required");
    },
  },
  {
    name: "Whoever has no authenticator approves no T3",
    promise: "factor",
    test: "a yes of somebody who never enrolled is refused, whatever the door says",
    without: replace("private.second_factor_problem", "v_factor.ciphertext is null or", "false or"),
    async probe(house) {
      const proof = await right(house);
      refuses(
        await factor(house, proof, await newcomer(house, "operator")),
        "second_factor_required",
      );
    },
  },
  {
    name: "A wrong code is none",
    promise: "factor",
    test: "a yes with a code that the door found wrong is refused",
    without: drop("private.second_factor_problem", "p_proof ->> 'valid' = 'true' and"),
    async probe(house) {
      refuses(await factor(house, { ...await right(house), valid: false }), "second_factor_wrong");
    },
  },
  {
    name: "A code counts once",
    promise: "factor",
    test: "a code that was used for another request is refused",
    without: drop("private.second_factor_problem", "and v_step > coalesce(v_factor.last_step, 0)"),
    async probe(house) {
      const proof = await right(house);
      given(await factor(house, proof));
      refuses(await factor(house, proof), "second_factor_wrong");
    },
  },
  {
    name: "A code is one of now by the database's clock",
    promise: "factor",
    test: "a code of a minute ahead is refused",
    without: drop(
      "private.second_factor_problem",
      "abs(v_step - floor(extract(epoch from v_now) / 30)) <= 1 and",
    ),
    async probe(house) {
      refuses(await factor(house, await right(house, 2)), "second_factor_wrong");
    },
  },
  {
    name: "Guessing locks",
    promise: "factor",
    test: "the right code after five wrong ones is refused",
    without: never(
      "private.second_factor_problem",
      "cardinality(v_wrong) >= v_allowed",
      " then\n    return",
    ),
    async probe(house) {
      const { code } = await trade(house);
      const proof = await right(house);
      for (let i = 0; i < 5; i++) {
        await factor(house, { valid: false, step: null }, "1001", code);
      }
      refuses(await factor(house, proof, "1001", code), "second_factor_locked");
    },
  },
  {
    name: "A no needs no code",
    promise: "factor",
    test: "a no to T3 without a code ends it",
    without: replace(
      "private.decide",
      "if v_code is null and p_decision = 'approve' then",
      "if v_code is null then",
    ),
    async probe(house) {
      const { code } = await trade(house);
      const answer = await decide(house, "1001", code, "reject", { second_factor: null });
      expect(answer.refused).toBeUndefined();
    },
  },
];
