/**
 * The path below a function's own name, as decoded segments: `/functions/v1/intake/tasks` and `/intake/tasks`
 * are both `["tasks"]`, since the platform strips its prefix and the local stack does not.
 * Null when the path is another function's or cannot be decoded.
 */
export function pathBelow(request: Request, name: string): string[] | null {
  const segments = new URL(request.url).pathname.split("/").slice(1);
  if (segments.at(-1) === "") segments.pop();
  if (segments[0] === "functions" && segments[1] === "v1") segments.splice(0, 2);
  if (segments[0] !== name) return null;
  try {
    return segments.slice(1).map(decodeURIComponent);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
