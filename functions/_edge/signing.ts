import { fromBase64, toBase64 } from "./base64.ts";

/** Signs in the platform's name. What it proves is who kept the record, not who the person was. */
export interface Signer {
  publicKey(): Promise<PublicKey>;
  /** The signature over the UTF-8 bytes, in base64. */
  sign(text: string): Promise<string>;
}

export interface PublicKey {
  /** First 16 hex digits of the key's sha256. */
  key_id: string;
  /** The 32 bytes, in base64. */
  public_key: string;
}

const algorithm = "Ed25519";
const encoder = new TextEncoder();

// What stands before the 32 bytes of a seed to make them PKCS #8 (RFC 8410); WebCrypto imports no bare seed.
const envelope = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

export async function keyIdOf(publicKey: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey));
  return [...digest.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function importPair(seed: string): Promise<{ key: CryptoKey; known: PublicKey }> {
  const bytes = Uint8Array.from([...envelope, ...fromBase64(seed)]);
  const readable = await crypto.subtle.importKey("pkcs8", bytes, algorithm, true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", readable);
  const publicKey = fromBase64(x!.replaceAll("-", "+").replaceAll("_", "/"));
  return {
    key: await crypto.subtle.importKey("pkcs8", bytes, algorithm, false, ["sign"]),
    known: { key_id: await keyIdOf(publicKey), public_key: toBase64(publicKey) },
  };
}

/** `seed` is APPROVAL_SIGNING_KEY, base64 of 32 bytes; the key is made of it when it is first needed. */
export function createSigner(seed: string): Signer {
  let pair: ReturnType<typeof importPair> | null = null;
  const imported = () => pair ??= importPair(seed);
  return {
    publicKey: async () => (await imported()).known,
    async sign(text) {
      const { key } = await imported();
      return toBase64(
        new Uint8Array(await crypto.subtle.sign(algorithm, key, encoder.encode(text))),
      );
    },
  };
}

/** Whether this key signed exactly this text. A key or signature of another length is simply not the one. */
export async function isSignedBy(
  publicKey: string,
  text: string,
  signature: string,
): Promise<boolean> {
  const [keyBytes, signatureBytes] = [fromBase64(publicKey), fromBase64(signature)];
  if (keyBytes.length !== 32 || signatureBytes.length !== 64) return false;
  const key = await crypto.subtle.importKey("raw", keyBytes, algorithm, false, ["verify"]);
  return await crypto.subtle.verify(algorithm, key, signatureBytes, encoder.encode(text));
}
