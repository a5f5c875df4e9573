import { describe, expect, it } from "vitest";
import { decisionText } from "../../../functions/_domain/signed-decision.ts";
import { createSigner } from "../../../functions/_edge/signing.ts";
import { type Approval, signatureProblem } from "../../../scripts/ags/approval-signature.ts";

const signer = createSigner(btoa("s".repeat(32)));
const other = createSigner(btoa("o".repeat(32)));
const row: Approval = {
  approval_id: "a-1",
  task_id: "T-2027-05-01-0001",
  approver: "olga",
  decision: "approve",
  person_id: "6f1c9a52-0d5e-4f0c-9d33-2b8f6f3f1a01",
  role: "operator",
  digest: "ab".repeat(32),
  ts: "2027-05-01T10:00:00.500Z",
  code: "T3-20270501-0001",
  signature: null,
};
const fields = {
  code: row.code,
  decision: "approve" as const,
  person: row.person_id,
  role: row.role,
  digest: row.digest,
  signed_at: "2027-05-01T10:00:00.000Z",
};

async function keysOf(...signers: (typeof signer)[]): Promise<Map<string, string>> {
  const known = await Promise.all(signers.map((one) => one.publicKey()));
  return new Map(known.map(({ key_id, public_key }) => [key_id, public_key]));
}
async function signed(more: Record<string, unknown> = {}, by = signer): Promise<string> {
  const { key_id } = await by.publicKey();
  return JSON.stringify({
    ...fields,
    key_id,
    signature: await by.sign(decisionText(fields)),
    ...more,
  });
}
const problem = async (more: Partial<Approval>, keys = keysOf(signer)) =>
  await signatureProblem({ ...row, ...more }, await keys);

describe("a stored approval", () => {
  it("is named when it has no signature, or none that can be read", async () => {
    expect(await problem({})).toBe("it is not signed");
    for (const odd of ["null", "{}", "signed", '"signed"', await signed({ more: 1 })]) {
      expect(await problem({ signature: odd }), odd).toBe("its signature is not readable");
    }
  });

  it("is named when another key signed it, or one under this key's name", async () => {
    const { key_id } = await other.publicKey();
    expect(await problem({ signature: await signed({}, other) })).toBe(
      `key ${key_id} is not among those that count`,
    );
    const { key_id: ours } = await signer.publicKey();
    expect(await problem({ signature: await signed({ key_id: ours }, other) })).toBe(
      `key ${ours} did not sign this`,
    );
  });

  it("is named when one field of the signature was changed afterwards", async () => {
    const { key_id } = await signer.publicKey();
    for (
      const change of [
        { code: "T3-20270501-0002" },
        { decision: "reject" },
        { person: "another" },
        { role: "owner" },
        { digest: "cd".repeat(32) },
        { signed_at: "2027-05-01T10:00:00.001Z" },
      ]
    ) {
      expect(await problem({ signature: await signed(change) }), JSON.stringify(change)).toBe(
        `key ${key_id} did not sign this`,
      );
    }
  });

  it.each<[string, Partial<Approval>]>([
    ["code", { code: "T3-20270501-0002" }],
    ["decision", { decision: "reject" }],
    ["person", { person_id: "another" }],
    ["role", { role: "owner" }],
    ["digest", { digest: "cd".repeat(32) }],
  ])("is named when a true signature stands beside another %s", async (field, more) => {
    expect(await problem({ ...more, signature: await signed() })).toBe(
      `${field}: signed for another one`,
    );
  });

  it("is named when a true signature was used at another time", async () => {
    expect(await problem({ ts: "2027-05-01T10:01:00.000Z", signature: await signed() })).toBe(
      "its time is not that of the signature",
    );
  });

  it("verifies under the key that signed it, also after that one was replaced", async () => {
    expect(await problem({ signature: await signed() })).toBeNull();
    expect(await problem({ signature: await signed() }, keysOf(other, signer))).toBeNull();
  });
});
