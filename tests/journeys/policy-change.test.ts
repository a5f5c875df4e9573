import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeNow, enroll, type Seed } from "../support/enrolling.ts";
import { Stack } from "../support/stack.ts";

let stack: Stack;
const seeds: Record<string, Seed> = {};

beforeAll(async () => {
  stack = await Stack.start();
  for (const [role, id, name] of [["operator", "1001", "olga"], ["owner", "1002", "otto"]]) {
    await stack.ags("members", "add", "--role", role, "--telegram", id, "--name", name);
    await enroll(stack, name, (seed) => {
      seeds[name] = seed;
      return [codeNow(seed, -1)];
    });
  }
  await stack.ags("members", "add", "--role", "reviewer", "--telegram", "1003", "--name", "rita");
}, 180_000);
afterAll(() => stack?.remove());

/** The shipped policy with one thing changed, in a file of its own. */
async function changed(name: string, from: string, to: string): Promise<string> {
  const text = await readFile(new URL("../../policies/policy.yaml", import.meta.url), "utf8");
  expect(text).toContain(from);
  const path = `${stack.dataDir}/${name}.yaml`;
  await writeFile(path, text.replace(from, to));
  return path;
}

const bundled = async (): Promise<{ status: string }[]> =>
  await stack.sql("select status from policies order by status");

describe("a change of policy", () => {
  it("is refused by hand, and where the new file could not be lived with", async () => {
    const looser = await changed("looser", "critic>=0.8", "critic>=0.78");
    expect((await stack.ags("policy", "activate", looser)).err).toContain("policy propose");
    const impossible = await changed(
      "impossible",
      "owner_approval: [owner]",
      "owner_approval: [operator]",
    );
    const checked = await stack.ags("policy", "check", impossible);
    expect(checked.code).toBe(1);
    expect(checked.out + checked.err).toContain("approvals.T3");
    expect((await stack.ags("policy", "propose", impossible, "--as", "rita")).code).toBe(1);
    expect(await bundled()).toHaveLength(1);
  }, 120_000);

  it(
    "is proposed with its replay, approved by two people, and waits for the functions that carry it",
    async () => {
      await (await stack.ask("READ", "What do we know?", { text: "The level held." })).json();
      const stricter = await changed("stricter", "critic>=0.8", "critic>=0.85");
      const replay = await stack.ags(
        "policy",
        "replay",
        "--head",
        stricter,
        "--fail-on",
        "loosened",
      );
      expect(replay).toMatchObject({ code: 0 });
      const nobodys = await stack.ags("policy", "propose", stricter);
      expect(nobodys.code).toBe(1);
      expect(nobodys.err).toContain("--as");
      const strangers = await stack.ags("policy", "propose", stricter, "--as", "somebody");
      expect(strangers.code).toBe(1);
      expect(strangers.err).toContain("invalid_request");
      const proposed = await stack.ags("policy", "propose", stricter, "--as", "rita");
      expect(proposed).toMatchObject({ code: 0 });
      expect(proposed.out).toContain("approvals.T2: ");
      const [{ task_id, code }] = await Stack.until("the request", async () => {
        const rows = await stack.sql<{ task_id: string; code: string }>(
          "select r.task_id, r.code from approval_requests r where r.action = 'POLICY_CHANGE'",
        );
        return rows.length > 0 ? rows : null;
      }, 30_000);
      const [{ actor, lines }] = await stack.sql<{ actor: string; lines: string }>(
        `select t.actor, a.content as lines from tasks t join artifacts a using (task_id)
         where t.task_id = '${task_id}' and a.type = 'dry_run'`,
      );
      expect(actor).toBe("reviewer:rita");
      expect(JSON.parse(lines).lines[0]).toMatch(/^approvals\.T2: .*critic>=0\.8".* → .*0\.85/);
      for (const name of ["olga", "otto"]) {
        const otp = codeNow(seeds[name]);
        expect(await stack.ags("approve", code, "yes", "--as", name, "--otp", otp))
          .toMatchObject({ code: 0 });
      }
      await Stack.until(
        "the archive",
        async () => await stack.status(task_id) === "archived",
        30_000,
      );
      expect((await bundled()).map(({ status }) => status)).toEqual(["active", "pending"]);

      // The old text is in force meanwhile, and the line goes on under it.
      const asked = await (await stack.ask("READ", "And now?", { text: "It still holds." })).json();
      await Stack.until(
        "the answer",
        async () => await stack.status(asked.task_id) === "archived",
        30_000,
      );
      expect((await stack.ags("policy", "status")).out).toContain("pending");
    },
    180_000,
  );
});
