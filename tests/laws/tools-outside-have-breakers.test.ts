import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policy } from "../support/line.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { treeOf } from "../support/tree.ts";

const guarded = /(?:behindBreaker|withLeave)\(\s*[\w.]+,\s*"([a-z_.]+)"/g;
/** The judge asks its breaker itself: its failures are answers and no errors. */
const byItself = /const tool = "([a-z_.]+)"/g;

/** Tools that the code calls behind a breaker. */
const inCode = (texts: string[]): string[] => {
  const found = texts.flatMap((text) =>
    [
      ...text.matchAll(guarded),
      ...(text.includes("breakers.admit(tool)") ? text.matchAll(byItself) : []),
    ]
      .map(([, tool]) => tool)
  );
  return [...new Set(found)].sort();
};

describe("every tool outside is called behind a breaker that it has", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await openTestDatabase();
  });
  afterAll(() => db?.close());

  const texts = [...treeOf("functions").values()];
  const rows = async () =>
    (await db.owner<{ tool: string }>("select tool from public.circuit_breakers order by tool"))
      .map(({ tool }) => tool);

  it("would notice a tool of the code without a row", async () => {
    const planted = [...texts, 'await behindBreaker(breakers, "news.read", () => read())'];
    expect(inCode(planted)).not.toEqual(await rows());
  });

  it("the code and the rows name the same tools", async () => {
    expect(inCode(texts)).toEqual(await rows());
  });

  it("so does the policy, but for what the house does in its own rows", async () => {
    const [{ house }] = await db.owner<{ house: string[] }>(
      "select private.house_tools() as house",
    );
    const named = [...Object.values(policy.tools).flat(), ...Object.keys(policy.rate_limits.tools)];
    const outside = [...new Set(named)].filter((tool) => !house.includes(tool)).sort();
    expect(outside).toEqual(await rows());
  });
});
