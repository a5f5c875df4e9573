import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "../../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, 120_000);
afterAll(() => stack?.remove());

describe("ags members", () => {
  it("refuses a member without a role, with a wrong role, and with a name twice", async () => {
    expect((await stack.ags("members", "add", "--name", "olga")).err).toContain("--role");
    expect((await stack.ags("members", "add", "--role", "king", "--name", "olga")).err).toContain(
      "invalid_request",
    );
    const add = ["members", "add", "--role", "operator", "--telegram", "1001", "--name", "olga"];
    expect(await stack.ags(...add)).toMatchObject({ code: 0 });
    const again = await stack.ags(...add);
    expect(again.err).toContain("duplicate_member");
    expect(again.code).toBe(1);
  }, 60_000);

  it("keeps the last owner", async () => {
    await stack.ags("members", "add", "--role", "owner", "--telegram", "2002", "--name", "otto");
    expect((await stack.ags("members", "remove", "otto")).err).toContain("last_owner");
  }, 60_000);

  it("lists who may decide, and leaves an audit row that names who changed it", async () => {
    const listed = JSON.parse((await stack.ags("members", "list", "--json")).out);
    expect(listed.map(({ name, role }: Record<string, string>) => `${role} ${name}`)).toEqual([
      "operator olga",
      "owner otto",
    ]);
    const rows = await stack.sql<{ actor: string }>(
      "select actor from audit_logs where action = 'member.add' and outcome = 'done'",
    );
    expect(rows.length).toBe(2);
    for (const { actor } of rows) expect(actor).toMatch(/^cli:/);
  }, 60_000);
});

describe("ags approve", () => {
  let code: string;
  beforeAll(async () => {
    await stack.alert(
      '{"ticker":"BTCUSDT","action":"buy","price":"67000","sl":"66000","tp":"69500"}',
    );
    const [request] = await Stack.until("the request", async () => {
      const found = await stack.sql<{ code: string }>("select code from approval_requests");
      return found.length > 0 ? found : null;
    });
    code = request.code;
  }, 60_000);

  it(
    "refuses somebody who is no member, another word than yes or no, and a code that is none",
    async () => {
      expect((await stack.ags("approve", code, "yes", "--as", "bob")).err).toContain(
        "No active member",
      );
      expect((await stack.ags("approve", code, "maybe", "--as", "olga")).err).toContain(
        "yes or no",
      );
      expect((await stack.ags("approve", "T2-1", "yes", "--as", "olga")).err).toContain(
        "no request's code",
      );
      expect((await stack.ags("approve", code, "yes")).err).toContain("--as");
    },
    60_000,
  );

  it("refuses the owner, whose role this tier does not ask for", async () => {
    expect((await stack.ags("approve", code, "yes", "--as", "otto")).err).toContain("wrong_role");
  }, 60_000);

  it("decides as the member, marks the decision as simulated, and not twice", async () => {
    const ran = await stack.ags("approve", code, "yes", "looks", "right", "--as", "olga");
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect((await stack.ags("approve", code, "yes", "--as", "olga")).err).toContain(
      "already_decided",
    );
    expect(
      await stack.sql(
        "select approver, decision, reason, metadata ->> 'channel' as channel from approvals",
      ),
    ).toEqual([
      { approver: "olga", decision: "approve", reason: "looks right", channel: "local-simulated" },
    ]);
    const listed = await stack.ags("audit", "local_decisions", "--json");
    expect(JSON.parse(listed.out)).toHaveLength(1);
  }, 60_000);

  it("shows where the task stands by the request's code", async () => {
    await Stack.until("the archive", async () => {
      const ran = await stack.ags("status", code, "--json");
      return JSON.parse(ran.out).status === "archived" ? true : null;
    });
    expect((await stack.ags("status", "T-2020-01-01-0001")).code).toBe(1);
  }, 60_000);

  it("refuses where there is a bot or a Postgres of your own", async () => {
    const elsewhere = await Stack.prepare({ TELEGRAM_BOT_TOKEN: "1:test" });
    expect((await elsewhere.ags("approve", code, "yes", "--as", "olga")).err).toContain(
      "write to the bot",
    );
    await elsewhere.remove();
    const native = await Stack.prepare({ DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" });
    expect((await native.ags("approve", code, "yes", "--as", "olga")).err).toContain(
      "only on the embedded database",
    );
    await native.remove();
  }, 60_000);
});
