/** The private buckets that hold objects; there are no others. */
export const buckets = ["tasks", "artifacts"] as const;
export type Bucket = typeof buckets[number];

/** An object's address, such as `supa://artifacts/A123/output.md`. */
export interface Reference {
  bucket: Bucket;
  path: string;
}

// A whitelist rather than a list of attacks: no percent sign, backslash, control character or look-alike letter can be
// in a segment, and none is `.` or `..` or empty. One object has exactly one address.
const segment = /^(?!\.{1,2}$)[A-Za-z0-9._:@=+-]{1,255}$/;
const maxLength = 1024;

/** Null for anything that is not an address of ours. */
export function parseReference(text: string): Reference | null {
  if (text.length > maxLength) return null;
  const [, name, path] = /^supa:\/\/([a-z]+)\/([^]+)$/.exec(text) ?? [];
  const bucket = buckets.find((known) => known === name);
  if (bucket === undefined || !path.split("/").every((part) => segment.test(part))) return null;
  return { bucket, path };
}

export function formatReference({ bucket, path }: Reference): string {
  const text = `supa://${bucket}/${path}`;
  if (parseReference(text) === null) {
    throw new RangeError(`${JSON.stringify(text)} is no address of an object`);
  }
  return text;
}
