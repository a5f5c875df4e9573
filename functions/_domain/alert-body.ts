// The bytes before their meaning: what no database takes is gone, what a form encoded is read.

export const maxAlertBytes = 16_384;

// An escape counts only behind an even number of backslashes.
const escapedNul = /(?<!\\)((?:\\\\)*)\\u0000/gi;
const escapedHalf =
  /(?<!\\)((?:\\\\)*)(?:\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2})/gi;
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** No NUL, not even an escaped one, no other control character, no half of a character: Postgres takes none of them. */
export const tidy = (body: string): string =>
  body.replace(escapedNul, "$1").replace(escapedHalf, "$1\\ufffd").replace(
    /(?![\t\n\r])\p{Cc}/gu,
    "",
  )
    .replace(loneSurrogate, "\ufffd").replace(/^\ufeff/, "");

/** Senders that call a form what is none: `{…}=`, percent-encoded or not. */
export function decode(body: string): string {
  const text = body.replace(/([}\])"])=\s*$/, "$1");
  if (
    !/^[\w.+*%~-]{0,64}=?%7B/i.test(text) && !/^[\w.%+*~-]{1,64}=[^\s{}"]*&[^\s{}"]*$/.test(text)
  ) return text;
  const decoded = tidy(percent(text.replaceAll("+", " ")));
  return decoded.replace(/^[\w.-]{1,64}=(?=\{)/, "").replace(/([}\])"])=\s*$/, "$1").replace(
    /=\s*$/,
    "",
  );
}

const percent = (text: string): string =>
  text.replace(
    /(?:%[0-9a-f]{2})+/gi,
    (run) =>
      new TextDecoder().decode(
        Uint8Array.from(run.slice(1).split("%"), (byte) => parseInt(byte, 16)),
      ),
  );

export function clip(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxAlertBytes) return text;
  return new TextDecoder().decode(bytes.slice(0, maxAlertBytes), { stream: true });
}
