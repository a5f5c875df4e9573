import { z } from "zod";

// Strings are matched first, so that digits inside them are left alone.
const stringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const longInteger = /^-?\d{16,}$/;

/**
 * `JSON.parse` that keeps integers beyond 2^53 as strings. Telegram's ids have up to 52 significant bits today
 * and no promise for tomorrow; a rounded id would be another person.
 */
export function parseExact(raw: string): unknown {
  const parsed: unknown = JSON.parse(raw);
  if (!/\d{16,}/.test(raw)) return parsed;
  const quoted = raw.replace(
    stringOrNumber,
    (token) => longInteger.test(token) ? `"${token}"` : token,
  );
  return JSON.parse(quoted);
}

/** An id as Telegram sends it, number or quoted long integer, kept as a string ever after. */
export const telegramId = z.union([z.int(), z.string()])
  .transform((id) => String(id))
  .pipe(z.string().regex(/^(?:0|-?[1-9]\d{0,19})$/));
