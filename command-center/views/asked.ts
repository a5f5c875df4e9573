import { z } from "zod";

/** What the address of a page asks for. It is the whole state of a view, so a view can be kept and passed on. */
export interface Asked {
  path: string;
  search: string;
  /** A filter by the one word that the view's rows are told apart by: a state, a bucket, a lane. */
  only: string | null;
  tier: string | null;
  sort: string | null;
  window: string;
  refresh: boolean;
}

const word = z.string().regex(/^[a-z][a-z0-9 _-]{0,31}$/);
const parameters = z.object({
  q: z.string().max(200).catch(""),
  only: word.nullable().catch(null),
  tier: z.enum(["T0", "T1", "T2", "T3"]).nullable().catch(null),
  sort: word.nullable().catch(null),
  window: z.enum(["1 h", "24 h", "30 d"]).catch("24 h"),
  refresh: z.enum(["on", "off"]).catch("on"),
});

/** What cannot be understood is left out, and the page shows what it took. */
export function askedOf(url: URL): Asked {
  const given = (name: string) => url.searchParams.get(name);
  const { q, only, tier, sort, window, refresh } = parameters.parse({
    q: given("q") ?? "",
    only: given("only"),
    tier: given("tier"),
    sort: given("sort"),
    window: given("window") ?? "24 h",
    refresh: given("refresh") ?? "on",
  });
  return {
    path: url.pathname,
    search: q.trim(),
    only,
    tier,
    sort,
    window,
    refresh: refresh === "on",
  };
}

/** The same view with something else asked of it. */
export function addressOf(asked: Asked, change: Partial<Asked> = {}): string {
  const { path, search, only, tier, sort, window, refresh } = { ...asked, ...change };
  const parameters = new URLSearchParams({
    ...search ? { q: search } : {},
    ...only ? { only } : {},
    ...tier ? { tier } : {},
    ...sort ? { sort } : {},
    ...window !== "24 h" ? { window } : {},
    ...refresh ? {} : { refresh: "off" },
  }).toString();
  return parameters ? `${path}?${parameters}` : path;
}

export const matches = (search: string, ...texts: (string | null | undefined)[]): boolean =>
  search === "" || texts.some((text) => text?.toLowerCase().includes(search.toLowerCase()));

/** Sorts by a key; `-key` turns it round. What has no such key stays as it came. */
export function sorted<R extends { order: Readonly<Record<string, string | number>> }>(
  rows: readonly R[],
  sort: string | null,
  first: string,
): R[] {
  const key = sort ?? first;
  const name = key.replace(/-down$/, "");
  const turn = key.endsWith("-down") ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [a.order[name], b.order[name]];
    if (one === undefined || other === undefined || one === other) return 0;
    return (one < other ? -1 : 1) * turn;
  });
}
