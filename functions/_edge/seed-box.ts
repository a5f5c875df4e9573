import { fromBase64, toBase64 } from "./base64.ts";

/** Keeps the seeds of second factors closed: the database holds what comes out of `seal` and no key to it. */
export interface SeedBox {
  seal(memberId: string, seed: Uint8Array): Promise<string>;
  /** Null for another key, another member's seed, or a byte that was changed. */
  open(memberId: string, sealed: string): Promise<Uint8Array<ArrayBuffer> | null>;
}

const ivLength = 12;
const name = "AES-GCM";

/** `key` is SECOND_FACTOR_KEY, base64 of 32 bytes. The member's id is bound in, so that no seed fits another member. */
export function createSeedBox(key: string): SeedBox {
  let kept: Promise<CryptoKey> | null = null;
  const imported = () =>
    kept ??= crypto.subtle.importKey("raw", fromBase64(key), name, false, ["encrypt", "decrypt"]);
  const bound = (memberId: string, iv: Uint8Array<ArrayBuffer>) => ({
    name,
    iv,
    additionalData: new TextEncoder().encode(memberId),
  });
  return {
    async seal(memberId, seed) {
      const iv = crypto.getRandomValues(new Uint8Array(ivLength));
      const closed = await crypto.subtle.encrypt(
        bound(memberId, iv),
        await imported(),
        new Uint8Array(seed),
      );
      return toBase64(Uint8Array.from([...iv, ...new Uint8Array(closed)]));
    },
    async open(memberId, sealed) {
      const bytes = fromBase64(sealed);
      if (bytes.length <= ivLength) return null;
      const [iv, closed] = [bytes.slice(0, ivLength), bytes.slice(ivLength)];
      try {
        return new Uint8Array(
          await crypto.subtle.decrypt(bound(memberId, iv), await imported(), closed),
        );
      } catch (error) {
        // WebCrypto's one word for every way in which it does not fit.
        if (error instanceof DOMException && error.name === "OperationError") return null;
        throw error;
      }
    },
  };
}
