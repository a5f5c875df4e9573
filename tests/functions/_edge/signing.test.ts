import { createPublicKey, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fromBase64, toBase64 } from "../../../functions/_edge/base64.ts";
import { createSigner, isSignedBy } from "../../../functions/_edge/signing.ts";

// RFC 8032, section 7.1, test 1.
const seed = toBase64(
  Uint8Array.from(
    Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"),
  ),
);
const publicHex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const signer = createSigner(seed);

describe("a signature", () => {
  it("is refused for another text, another key, a changed byte, and what is no signature or key", async () => {
    const { public_key } = await signer.publicKey();
    const signature = await signer.sign("approve");
    const other = await createSigner(toBase64(new Uint8Array(32))).publicKey();
    const changed = fromBase64(signature);
    changed[10] ^= 1;
    expect(await isSignedBy(public_key, "approve ", signature)).toBe(false);
    expect(await isSignedBy(other.public_key, "approve", signature)).toBe(false);
    expect(await isSignedBy(public_key, "approve", toBase64(changed))).toBe(false);
    for (const odd of ["", "no base64!", signature.slice(4), toBase64(new Uint8Array(64))]) {
      expect(await isSignedBy(public_key, "approve", odd), odd).toBe(false);
    }
    for (const odd of ["", "?", toBase64(new Uint8Array(31))]) {
      expect(await isSignedBy(odd, "approve", signature), odd).toBe(false);
    }
  });

  it("is no signature under a key that is not 32 bytes", async () => {
    await expect(createSigner(toBase64(new Uint8Array(31))).sign("x")).rejects.toThrow();
    await expect(createSigner("").publicKey()).rejects.toThrow();
  });

  it("names the key of the RFC's first vector, and signs the empty text as it does", async () => {
    const { public_key } = await signer.publicKey();
    expect(Buffer.from(public_key, "base64").toString("hex")).toBe(publicHex);
    expect(Buffer.from(await signer.sign(""), "base64").toString("hex")).toBe(
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
  });

  it("is verified by its key, here and by another library", async () => {
    const { public_key, key_id } = await signer.publicKey();
    const signature = await signer.sign("approve");
    expect(await isSignedBy(public_key, "approve", signature)).toBe(true);
    expect(key_id).toMatch(/^[0-9a-f]{16}$/);
    const x = Buffer.from(public_key, "base64").toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    expect(verify(null, Buffer.from("approve"), key, Buffer.from(signature, "base64"))).toBe(true);
  });
});
