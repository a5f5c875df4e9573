import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refusals } from "../../functions/_domain/refusal.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { textOf, treeOf } from "../support/tree.ts";

/** `code → status` as the page has it; a row begins with the code in backticks. */
const documented = (page: string): Map<string, number> =>
  new Map(
    [...page.matchAll(/^\| `([a-z0-9_]+)` \| (\d{3}) \|/gm)].map((
      [, code, status],
    ) => [code, Number(status)]),
  );

/** Codes that a statement of a migration hands to one of the functions that refuse. */
const usedIn = (sql: string): string[] =>
  [...sql.matchAll(/private\.(?:raise_refusal|refuse(?!_rewriting)[a-z_]*)\(\s*'([a-z0-9_]+)'/g)]
    .map((
      [, code],
    ) => code);

const shipped = Object.entries(refusals).map(([code, { status }]) => `${code} ${status}`).sort();

describe("the refusal codes are one list in SQL, in TypeScript and in the docs", () => {
  let db: TestDatabase;
  let inSql: string[];
  beforeAll(async () => {
    db = await openTestDatabase();
    inSql =
      (await db.owner<{ code: string }>("select code from private.refusal_codes order by code"))
        .map(({ code }) => code);
  });
  afterAll(() => db?.close());

  const page = textOf("docs/errors.md");
  const listed = (text: string) =>
    [...documented(text)].map(([code, status]) => `${code} ${status}`).sort();

  it("would notice a code that the page lacks, has too much or gives another status", () => {
    expect(listed(page.replace(/^\| `stale_lease` .*\n/m, ""))).not.toEqual(shipped);
    expect(listed(`${page}\n| \`planted\` | 409 | . | . |\n`)).not.toEqual(shipped);
    expect(listed(page.replace("| `stale_lease` | 409 |", "| `stale_lease` | 500 |"))).not.toEqual(
      shipped,
    );
  });

  it("has the same codes in the docs, with the same status", () => {
    expect(listed(page)).toEqual(shipped);
  });

  it("has the same codes in SQL", () => {
    expect(inSql.toSorted()).toEqual(Object.keys(refusals).sort());
  });

  it("would notice a command that refuses with a code of its own", () => {
    expect(usedIn("return private.refuse('planted', v_actor);")).toEqual(["planted"]);
  });

  it("uses no code that is not listed", () => {
    const used = [...treeOf("migrations")].flatMap(([path, sql]) =>
      usedIn(sql).filter((code) => !inSql.includes(code)).map((code) => `${path}: ${code}`)
    );
    expect(used).toEqual([]);
  });

  it("turns a code that is not listed into internal, so that none can slip in", async () => {
    const [row] = await db.owner<{ answer: unknown }>(
      "select private.refuse('planted', 'test', 'test', 'test') as answer",
    );
    expect(row.answer).toEqual({ refused: "internal" });
  });
});
