/** A request body within its limit, or why it was not taken. */
export type Body =
  | { ok: true; bytes: Uint8Array; text: string }
  | { ok: false; code: "payload_too_large" | "invalid_request"; reason: string };

/**
 * Reads a body of any content type, never more than `limit` bytes of it. The declared length is believed
 * only when it is too large; a chunked body is counted as it arrives and the rest is not awaited.
 * Bytes that are not UTF-8 become U+FFFD in `text`; `bytes` stay as they came, for the checksum.
 */
export async function readBody(request: Request, limit: number): Promise<Body> {
  const tooLarge: Body = {
    ok: false,
    code: "payload_too_large",
    reason: `this door takes at most ${limit} bytes`,
  };
  if (Number(request.headers.get("content-length") ?? 0) > limit) {
    await request.body?.cancel();
    return tooLarge;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (request.body !== null) {
    const reader = request.body.getReader();
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        size += part.value.byteLength;
        if (size > limit) {
          await reader.cancel();
          return tooLarge;
        }
        chunks.push(part.value);
      }
    } catch (error) {
      // The sender hung up in the middle: its fault, not a server error.
      return { ok: false, code: "invalid_request", reason: `the body broke off: ${error}` };
    }
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return { ok: true, bytes, text: new TextDecoder().decode(bytes) };
}
