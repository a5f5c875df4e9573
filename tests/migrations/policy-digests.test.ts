import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyDigest } from "../../functions/_policy/policy-digest.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { policy } from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const inSql = async (body: unknown): Promise<string> =>
  (await db.owner<{ sha: string }>("select private.policy_digest($1) as sha", [
    JSON.stringify(body),
  ]))[0].sha;
const changes = async (old: unknown, next: unknown) =>
  (await db.owner<{ found: { changed: string; changes: string[] } }>(
    "select private.policy_changes($1, $2) as found",
    [JSON.stringify(old), JSON.stringify(next)],
  ))[0].found;

describe("a parsed policy's hash", () => {
  it.each<[string, unknown, unknown]>([
    ["a number and its text", { a: 7 }, { a: "7" }],
    ["a number and the text of its form", { a: 7 }, { a: "n7" }],
    ["0.8 and 0.85", { a: 0.8 }, { a: 0.85 }],
    ["nothing and null", {}, { a: null }],
    ["two orders of a list", { a: ["x", "y"] }, { a: ["y", "x"] }],
  ])("tells %s apart, on both sides", async (_, one, other) => {
    expect(await inSql(one)).not.toBe(await inSql(other));
    expect(await policyDigest(one)).not.toBe(await policyDigest(other));
  });

  it.each<[string, unknown]>([
    ["the shipped policy", policy],
    ["floats and whole numbers", { a: 0.8, b: 7, c: 1e-7, d: 1e21, e: -0.5, f: 0, g: 100.25 }],
    ["every other value", { a: null, b: true, c: false, d: [], e: {}, f: [[1], { x: "" }] }],
    ["quotes, control characters and other scripts", { a: 'q"\\/\n\t\u0001\u007f é → 漢 😀' }],
    ["keys in any order", { b: 1, a: 2, B: 3, _: 4, "a.b": 5 }],
  ])("is the same in SQL and here: %s", async (_, body) => {
    expect(await inSql(body)).toBe(await policyDigest(body));
  });

  it("does not move with the spelling of a number", async () => {
    const [{ same }] = await db.owner(
      `select private.policy_digest('{"a": 7.0, "b": 8e-1}') = private.policy_digest('{"b": 0.80, "a": 7}') as same`,
    );
    expect(same).toBe(true);
  });

  it("is this one", async () => {
    const golden = "db0965241735bc5e4286d15c82d28709690033ec1d43283f960d4383f22c5458";
    const body = { limits: { max: 7, share: 0.8 }, roles: ["owner"], version: 2 };
    expect(await policyDigest(body)).toBe(golden);
    expect(await inSql(body)).toBe(golden);
  });
});

describe("what changes between two policies", () => {
  it("is nothing where they say the same", async () => {
    expect(await changes(policy, policy)).toEqual({ changed: "0", changes: [] });
  });

  it("is told value by value, what guards the gates first", async () => {
    const next = {
      ...policy,
      windows: { ...policy.windows, raw_days: 30 },
      approvals: { ...policy.approvals, T1: ["critic>=0.8"] },
    };
    expect(await changes(policy, next)).toEqual({
      changed: "2",
      changes: [
        'approvals.T1: nothing → ["critic>=0.8"]',
        `windows.raw_days: ${policy.windows.raw_days} → 30`,
      ],
    });
  });

  it("names what is gone, and a node of a flow by its place", async () => {
    expect(
      await changes(
        { flows: { a: { nodes: [{ id: "plan" }, { id: "act", tier: "T2" }] } } },
        { flows: { a: { nodes: [{ id: "plan" }, { id: "act" }] } } },
      ),
    ).toEqual({ changed: "1", changes: ['flows.a.nodes.2.tier: "T2" → nothing'] });
  });

  it("is at most twenty lines of 200 characters, and says how many more there are", async () => {
    const many = (value: string) =>
      Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`k${i}`.padEnd(150, "x"), value]));
    const same = "x".repeat(300);
    const found = await changes({ limits: many(`${same}old`) }, { limits: many(`${same}new`) });
    expect(found.changed).toBe("25");
    expect(found.changes).toHaveLength(21);
    expect(found.changes[20]).toBe("and 5 more");
    for (const line of found.changes.slice(0, 20)) {
      expect(line.length).toBeLessThanOrEqual(200);
      expect(line).toMatch(/old" → …x+new"$/);
    }
  });
});
