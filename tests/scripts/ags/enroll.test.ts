import { readFile } from "node:fs/promises";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeNow, enroll as enrollAtTerminal, type Seed } from "../../support/enrolling.ts";
import { goodAlert, Stack } from "../../support/stack.ts";

let stack: Stack;
const seeds: Record<string, Seed> = {};

beforeAll(async () => {
  stack = await Stack.start();
  const add = (role: string, id: string, name: string) =>
    stack.ags("members", "add", "--role", role, "--telegram", id, "--name", name);
  await add("operator", "1001", "olga");
  await add("owner", "1002", "otto");
}, 120_000);
afterAll(() => stack?.remove());

const enroll = (name: string, answer: (seed: Seed) => string[]) =>
  enrollAtTerminal(stack, name, answer);

/** What only the owner of the tables can do, while nothing runs. */
async function asOwner(statement: string): Promise<void> {
  const pg = await PGlite.create({ dataDir: `${stack.dataDir}/db`, extensions: { vector } });
  await pg.exec(statement);
  await pg.close();
}

const enrolled = async () =>
  JSON.parse((await stack.ags("members", "list", "--json")).out)
    .filter((one: Record<string, unknown>) => one.second_factor_since !== null)
    .map((one: Record<string, unknown>) => one.name);

describe("ags members enroll", () => {
  it(
    "stores nothing for somebody unknown, for three wrong codes, or when nobody answers",
    async () => {
      expect((await stack.ags("members", "enroll")).err).toContain("Say who");
      expect((await stack.ags("members", "enroll", "bob")).err).toContain("No active member");
      const wrong = await enroll("olga", () => ["000", "abcdef", "12345"]);
      expect(wrong).toMatchObject({ code: 1, out: "" });
      expect(wrong.err).toContain("Nothing was stored");
      expect(await enroll("olga", () => [])).toMatchObject({ code: 1 });
      expect((await stack.ags("members", "unenroll", "olga")).err).toContain("not_found");
      expect(await enrolled()).toEqual([]);
    },
    60_000,
  );

  it(
    "shows the seed once as a picture and a text, and stores it sealed after one right code",
    async () => {
      const ran = await enroll("Olga", (seed) => {
        seeds.olga = seed;
        return ["123", codeNow(seed).replace(/(...)/, "$1 ")];
      });
      expect(ran).toMatchObject({
        code: 0,
        out: "olga has an authenticator. Every owner is told.\n",
      });
      expect(ran.err).toContain("▀");
      expect(await enrolled()).toEqual(["olga"]);
      const [{ after_json }] = await stack.sql<{ after_json: object }>(
        "select after_json from audit_logs where action = 'second_factor.enroll' and outcome = 'done'",
      );
      expect(after_json).toEqual({ second_factor: "enrolled", replaced: false });
      expect(stack.out).not.toContain("secret=");
      const kept = await readFile(`${stack.dataDir}/secrets.env`, "utf8");
      expect(kept).toMatch(/^SECOND_FACTOR_KEY=[A-Za-z0-9+/]{43}=$/m);
      expect(kept).toMatch(/^APPROVAL_SIGNING_KEY=[A-Za-z0-9+/]{43}=$/m);
    },
    60_000,
  );

  it("takes it away again", async () => {
    await enroll("otto", (seed) => [codeNow(seed)]);
    expect(await stack.ags("members", "unenroll", "otto")).toMatchObject({ code: 0 });
    expect(await enrolled()).toEqual(["olga"]);
  }, 60_000);
});

describe("ags approve --otp, and audit verify-approvals", () => {
  let code: string;
  beforeAll(async () => {
    await stack.interrupt();
    await asOwner(
      `update public.policies set body = jsonb_set(body, '{second_factor,required}', '["T2", "T3"]')`,
    );
    await stack.start();
    await stack.alert(goodAlert());
    const [request] = await Stack.until("the request", async () => {
      const found = await stack.sql<{ code: string }>("select code from approval_requests");
      return found.length > 0 ? found : null;
    });
    code = request.code;
  }, 60_000);

  it("refuses what is no code, none, and a wrong one, and takes the right one", async () => {
    const say = (...more: string[]) => stack.ags("approve", code, "yes", "--as", "olga", ...more);
    expect((await say("--otp", "12345678")).err).toContain("six digits");
    expect((await say()).err).toContain("second_factor_required");
    const right = codeNow(seeds.olga);
    const wrong = String((Number(right) + 7) % 1_000_000).padStart(6, "0");
    expect((await say("--otp", wrong)).err).toContain("second_factor_wrong");
    expect(await say("--otp", codeNow(seeds.olga))).toMatchObject({ code: 0, err: "" });
  }, 60_000);

  it("verifies what was signed, and only under the key that signed it", async () => {
    expect(await stack.ags("audit", "verify-approvals")).toMatchObject({
      code: 0,
      out: expect.stringContaining("All verify (1 decisions, 1 keys)"),
    });
    const [{ public_key }] = await stack.sql<{ public_key: string }>(
      "select public_key from signing_keys",
    );
    const by = (key: string) => stack.ags("audit", "verify-approvals", "--public-key", key);
    expect(await by(public_key)).toMatchObject({ code: 0 });
    expect((await by(btoa("x".repeat(32)))).code).toBe(1);
    expect((await by("x")).err).toContain("32 bytes");
    expect((await stack.ags("audit", "list")).out).toContain("verify-approvals");
  }, 120_000);

  it("names a planted forgery and an approval without a signature, and exits with 1", async () => {
    await stack.interrupt();
    // What the owner of the tables could do, past every guard: a second yes by somebody who never said it, with the
    // first one's signature.
    const planted = (person: string, signature: string) =>
      asOwner(
        `set session_replication_role = replica; insert into public.approvals (task_id, step_id, tier, approver, decision, ts, metadata, request_id, member_id, person_id, role, digest)
        select a.task_id, a.step_id, a.tier, 'otto', 'approve', a.ts, a.metadata || ${signature}, a.request_id, a.member_id, '${person}', 'owner', a.digest
        from public.approvals a where a.approver = 'olga'`,
      );
    await planted("6f1c9a52-0d5e-4f0c-9d33-2b8f6f3f1a01", "'{}'");
    await planted("6f1c9a52-0d5e-4f0c-9d33-2b8f6f3f1a02", `'{"signature": null}'`);
    const ran = await stack.ags("audit", "verify-approvals", "--json");
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining("2 do not verify") });
    expect(JSON.parse(ran.out).map((one: Record<string, string>) => one.problem).sort()).toEqual([
      "it is not signed",
      "person, role: signed for another one",
    ]);
    const later = await stack.ags("audit", "verify-approvals", "--since", "2999-01-01");
    expect(later).toMatchObject({ code: 0, out: expect.stringContaining("3 older ones") });
  }, 120_000);
});
