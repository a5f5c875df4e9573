import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "../../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, 120_000);
afterAll(() => stack?.remove());

describe("ags sql, while the platform runs", () => {
  it("refuses in Postgres' words, on stderr, with exit code 1", async () => {
    const ran = await stack.ags("sql", "commit; delete from tasks");
    expect(ran.err).toContain('syntax error at or near "commit"');
    expect(ran).toMatchObject({ code: 1, out: "" });
  }, 60_000);

  it("keeps set_config from everyone, also on the copy that it asks", async () => {
    const ran = await stack.ags("sql", "select set_config('role', 'postgres', false)");
    expect(ran.err).toContain("permission denied for function set_config");
    expect(ran).toMatchObject({ code: 1, out: "" });
  }, 60_000);

  it("changes nothing by all of this", async () => {
    expect(await stack.sql("select count(*) from members")).toEqual([{ count: 0 }]);
    const [{ role }] = await stack.sql<{ role: string }>("select current_user as role");
    expect(role).toBe("auditor");
  }, 60_000);

  it(
    "says when it shows fewer rows than there are, and keeps that out of what programs read",
    async () => {
      const ran = await stack.ags(
        "sql",
        "select n from generate_series(1, 5) n",
        "--limit",
        "2",
        "--json",
      );
      expect(ran).toMatchObject({ code: 0, out: '[{"n":1},{"n":2}]\n' });
      expect(ran.err).toContain("more than 2 rows");
    },
    60_000,
  );

  it("ends a question that takes too long, and takes one that begins with a comment", async () => {
    const ran = await stack.ags(
      "sql",
      "-- far too many\nselect count(*) from generate_series(1, 1000000000) a, generate_series(1, 1000) b",
      "--seconds",
      "5",
    );
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toBe(
      "No answer within 5 seconds: narrow the question, or give it more with --seconds.\n",
    );
  }, 60_000);

  it("leaves no copy of the database behind", async () => {
    expect(await readdir(`${stack.dataDir}/snapshots`)).toEqual([]);
  });

  it(
    "answers health and every audit query, silent on clean data where rows would be findings",
    async () => {
      expect(JSON.parse((await stack.ags("health", "--json")).out).database.status).toBe("healthy");
      const questions = JSON.parse((await stack.ags("audit", "list", "--json")).out) as {
        name: string;
        kind: string;
      }[];
      expect(questions.length).toBeGreaterThan(10);
      expect(questions.filter(({ kind }) => kind !== "finds" && kind !== "lists")).toEqual([]);
      const ran = await stack.ags("audit", "duplicates");
      expect(ran).toMatchObject({ code: 0, err: "" });
      expect(ran.out).toContain("Nothing found.");
      expect((await stack.ags("audit", "no_such_query")).err).toContain("audit list");
    },
    120_000,
  );
});

describe("ags flags", () => {
  it(
    "refuses a flag without a reason, with another state, and with a name that is none",
    async () => {
      expect((await stack.ags("flags", "set", "new_cards", "on")).err).toContain("<reason>");
      expect((await stack.ags("flags", "set", "new_cards", "maybe", "why")).err).toContain(
        "on|off",
      );
      expect((await stack.ags("flags", "set", "New", "on", "why")).err).toContain(
        "invalid_request",
      );
    },
    60_000,
  );

  it("sets one with who and why, audited, and lists it", async () => {
    const set = await stack.ags("flags", "set", "new_cards", "on", "the", "desk", "agreed");
    expect(set).toMatchObject({ code: 0, out: "new_cards is on.\n" });
    const [flag, ...others] = JSON.parse((await stack.ags("flags", "list", "--json")).out);
    expect(flag).toMatchObject({ key: "new_cards", enabled: true, reason: "the desk agreed" });
    expect(flag.updated_by).toMatch(/^cli:/);
    expect(others).toEqual([]);
    expect(
      await stack.sql(
        "select actor from audit_logs where action = 'flag.set' and outcome = 'done'",
      ),
    )
      .toEqual([{ actor: flag.updated_by }]);
  }, 60_000);
});

describe("ags where nothing is yet", () => {
  it("refuses with a sentence and makes nothing", async () => {
    const nowhere = await Stack.prepare();
    const ran = await nowhere.ags("health");
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toMatch(/^Nothing is here yet \(.+\): npm start, or set .+\n$/);
    expect(await readdir(nowhere.dataDir)).toEqual([]);
    await nowhere.remove();
  }, 60_000);
});

describe("ags without a command it knows", () => {
  it("shows the commands, and each has its help", async () => {
    const ran = await stack.ags("--help");
    for (
      const name of [
        "sql",
        "audit",
        "members",
        "approve",
        "flags",
        "status",
        "health",
        "policy",
        "backup",
        "restore",
      ]
    ) {
      expect(ran.out).toContain(`${name} `);
    }
    expect((await stack.ags("members", "--help")).out).toContain("--telegram");
  }, 60_000);

  it("ends with 1 for a command or an option that there is not", async () => {
    expect(await stack.ags("drop")).toMatchObject({ code: 1 });
    expect(await stack.ags("health", "--nonsense")).toMatchObject({ code: 1 });
  }, 60_000);
});
