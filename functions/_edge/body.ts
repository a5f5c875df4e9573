/** A request body within its limit, or why it was not taken. */
export type Body =
  | { ok: true; bytes: Uint8Array; text: string }
  | { ok: false; code: "payload_too_large" | "invalid_request"; reason: string };

/** How long a body may take to arrive. A sender that dribbles holds a request open, and that costs memory. */
const patienceMs = 10_000;

type Part = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>>;

/** The next part, or null when the time for the whole body is over. */
async function inTime(reader: ReadableStreamDefaultReader<Uint8Array>, late: Promise<null>) {
  return await Promise.race<Part | null>([reader.read(), late]);
}

/**
 * Reads a body of any content type, never more than `limit` bytes of it and no longer than `patience` ms. The declared
 * length is believed only when it is too large; a chunked body is counted as it arrives and the rest is not awaited.
 * Bytes that are not UTF-8 become U+FFFD in `text`; `bytes` stay as they came, for the checksum.
 */
export async function readBody(
  request: Request,
  limit: number,
  patience = patienceMs,
): Promise<Body> {
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
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), patience);
    });
    try {
      for (let part = await inTime(reader, late); !part?.done; part = await inTime(reader, late)) {
        if (part === null) {
          await reader.cancel();
          return { ok: false, code: "invalid_request", reason: "the body took too long to arrive" };
        }
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
    } finally {
      clearTimeout(timer);
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
