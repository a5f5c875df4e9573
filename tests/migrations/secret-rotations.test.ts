import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { administer } from "../support/personas.ts";
import { clock, db } from "./people.ts";

const day = 86_400;

const record = (name: string, inUse: boolean | null = true, actor = "cli:ada") =>
  administer(db, "record_rotation($1, $2, $3)", [name, inUse, actor]);

const open = async (): Promise<string[]> =>
  (await db.owner<{ subject: string }>(
    "select subject from public.alerts where code = 'secret_overdue' and closed_at is null order by 1",
  )).map(({ subject }) => subject);

const check = () => db.owner("select private.check_rotations()");

describe("secrets", () => {
  it("are all on the list: every one that the environment reads, and no other", async () => {
    const source = await readFile(
      new URL("../../functions/_edge/environment.ts", import.meta.url),
      "utf8",
    );
    const read = [...source.matchAll(/^ {2}([A-Z][A-Z0-9_]*): (?:z|key32)\b/gm)].map(([, name]) =>
      name
    )
      .filter((name) => /(_|^)(TOKENS?|SECRET|KEYS?|DATABASE_URL|REDIS_URL)$/.test(name)).sort();
    const kept = await db.owner<{ name: string }>("select name from public.secret_rotations");
    expect(kept.map(({ name }) => name).sort()).toEqual(read);
  });

  it("name who holds them, and those that several hold are marked", async () => {
    const rows = await db.owner<{ name: string; shared: boolean; many: boolean }>(
      "select name, shared, cardinality(scope) > 1 as many from public.secret_rotations",
    );
    expect(rows.filter(({ shared, many }) => shared !== many)).toEqual([]);
    expect(rows.filter(({ shared }) => !shared).map(({ name }) => name)).toContain("LLM_API_KEY");
  });

  it("are not said to be changed by nobody, nor when nobody knows them", async () => {
    expect(await record("LLM_API_KEY", true, "")).toMatchObject({ refused: "invalid_request" });
    expect(await record("LLM_API_KEY", null)).toMatchObject({ refused: "invalid_request" });
    expect(await record("MY_PASSWORD")).toMatchObject({ refused: "not_found" });
    expect(await record("llm_api_key")).toMatchObject({ refused: "not_found" });
    for (const role of ["service_role", "auditor", "authenticated", "anon"]) {
      await expect(db.as(role, "select api.record_rotation('LLM_API_KEY', true, 'me')"))
        .rejects.toMatchObject({ code: "42501" });
    }
  });

  it("may not be given longer than ninety days", async () => {
    await expect(
      db.owner("update public.secret_rotations set due_at = due_at + interval '1 day'"),
    ).rejects.toMatchObject({ constraint: "rotated_at_least_every_90_days" });
  });
});

describe("a secret that is not changed", () => {
  it("is an alert from the ninetieth day on, one however often it is looked at", async () => {
    for (
      const { name } of await db.owner<{ name: string }>("select name from public.secret_rotations")
    ) {
      await record(name, name === "LLM_API_KEY");
    }
    await clock.advance(90 * day - 1);
    await check();
    expect(await open()).toEqual([]);
    await clock.advance(1);
    await check();
    await check();
    expect(await open()).toEqual(["secret:LLM_API_KEY"]);
  });

  it("is none any more when its change is recorded, or that nobody uses it", async () => {
    await clock.advance(91 * day);
    await record("INTAKE_TOKENS", false);
    await check();
    expect(await open()).toEqual(["secret:LLM_API_KEY"]);
    expect(await record("LLM_API_KEY")).toMatchObject({ name: "LLM_API_KEY", in_use: true });
    expect(await open()).toEqual([]);
    await check();
    expect(await open()).toEqual([]);
  });

  it("is looked for once a day, by the clock's own job", async () => {
    await record("LLM_API_KEY");
    await clock.advance(91 * day);
    expect(await db.database.call<Record<string, number>>("sweep")).toMatchObject({
      check_rotations: 1,
    });
    expect(await open()).toEqual(["secret:LLM_API_KEY"]);
  });
});
