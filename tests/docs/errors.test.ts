import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refusals } from "../../functions/_domain/refusal.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { codeRows, page } from "./pages.ts";

const text = page("docs/errors.md");

/** Codes whose row does not say what the functions say, or gives no advice. That the lists agree is a law. */
const unexplained = (rows: string[][]): string[] =>
  rows.filter(([code, , meaning, advice]) =>
    meaning !== refusals[code as keyof typeof refusals]?.meaning || (advice ?? "").length < 10
  ).map(([code]) => code);

describe("docs/errors.md", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await openTestDatabase();
  });
  afterAll(() => db?.close());

  it("would notice another meaning, and a row without advice", () => {
    const [first, second, ...rest] = codeRows(text);
    expect(
      unexplained([[first[0], first[1], "Else.", first[3]], [...second.slice(0, 3), ""], ...rest]),
    )
      .toEqual([first[0], second[0]]);
  });

  it("gives each code the meaning that callers are shown, and says what to do", () => {
    const rows = codeRows(text);
    expect(rows.length).toBeGreaterThan(40);
    expect(unexplained(rows)).toEqual([]);
  });

  it("names the SQLSTATE of each code that a guard raises", async () => {
    const raised = await db.owner<{ code: string; sqlstate: string }>(
      "select code, sqlstate from private.refusal_codes where sqlstate is not null",
    );
    expect(raised.length).toBeGreaterThan(0);
    for (const { code, sqlstate } of raised) {
      expect(text).toContain(`\`${sqlstate}\` is \`${code}\``);
    }
  });
});
