import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyModule } from "../../scripts/generate.ts";
import { policyFile, shippedPolicy, shippedText } from "../functions/_policy/shipped-policy.ts";

const policy = await shippedPolicy();
const root = fileURLToPath(new URL("../..", import.meta.url));
const module = "functions/_policy/policy.generated.ts";

describe("policies/policy.yaml", () => {
  it("says what the playbook says, and nothing else, in the playbook's five sections", () => {
    const { version, limits, risk_tiers, approvals, agents } = policy;
    expect({ version, limits, risk_tiers, approvals, agents }).toEqual({
      version: 1,
      limits: {
        trading: { max_daily_loss_pct: 5, max_drawdown_pct: 10, max_positions: 3 },
        payments: { max_single_tx_usdt: 500, cool_down_minutes: 30 },
      },
      risk_tiers: {
        T0: ["READ", "RESEARCH", "RETRIEVE"],
        T1: ["WRITE_DB", "SUMMARIZE", "DRAFT_REPLY"],
        T2: ["PUBLISH", "SOCIAL_POST"],
        T3: ["TRADE", "PAYMENT", "WITHDRAWAL"],
      },
      approvals: {
        T2: ["critic>=0.8", "operator_approval"],
        T3: ["critic>=0.9", "operator_approval", "owner_approval", "dry_run_required"],
      },
      agents: {
        planner: "planner:v2",
        researcher: "researcher:v3",
        retriever: "retriever:v1",
        trader: "trader:xauusd-v6",
        exec: "executor:v2",
        communicator: "telegram-comms:v3",
        critic: "critic:guard-v4",
      },
    });
  });

  it("has not changed without its snapshot", () => {
    expect(policy).toMatchSnapshot();
  });

  it("lets no owner stand in for an operator", () => {
    expect(policy.roles).toEqual({ operator_approval: ["operator"], owner_approval: ["owner"] });
  });

  it("lets a signal lapse after a quarter of an hour, a trade after an hour and everything else after a day", () => {
    const expiries = Object.entries(policy.flows).map((
      [name, flow],
    ) => [name, flow.expires_minutes]);
    expect(Object.fromEntries(expiries))
      .toEqual({ signal: 15, publish: 1440, answer: 1440, trade: 60, access: 1440, execute: 1440 });
  });

  it("registers the ETL agent, disabled", () => {
    expect(policy.optional_agents).toEqual({ etl: null });
  });
});

describe("the generated module", () => {
  it("is current", async () => {
    expect(readFileSync(join(root, module), "utf8"))
      .toBe(await policyModule(readFileSync(policyFile)));
  });

  it("is not written for bytes that are no UTF-8", async () => {
    await expect(policyModule(new Uint8Array([0x76, 0xff]))).rejects.toThrow();
  });

  it.each([
    ["a carriage return at each line's end", shippedText.replaceAll("\n", "\r\n")],
    ["no line end at the end", shippedText.trimEnd()],
    ["backticks, quotes and dollars", `${shippedText}# \`\${"x"}\` \\ 'y'\n`],
  ])("keeps every byte of a file with %s", async (_, text) => {
    const source = await policyModule(new TextEncoder().encode(text));
    const embedded = await import(
      /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`
    );
    expect(embedded.policyText).toBe(text);
  });
});

describe("npm run generate", () => {
  let scratch: string;
  const run = (...more: string[]) =>
    spawnSync(join(root, "node_modules/.bin/deno"), [
      "run",
      "--allow-env=LOG_TOKENS,LOG_STREAM",
      `--allow-read=${root},${scratch}`,
      `--allow-write=${scratch}`,
      join(root, "scripts/generate.ts"),
      scratch,
      ...more,
    ], { encoding: "utf8", timeout: 60_000 });

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), "policy-"));
    mkdirSync(join(scratch, "policies"));
    mkdirSync(join(scratch, "functions/_policy"), { recursive: true });
    cpSync(policyFile, join(scratch, "policies/policy.yaml"));
  });
  afterAll(() => rmSync(scratch, { recursive: true }));

  it("refuses with --check until the module is written, then again after a change", () => {
    expect(run("--check")).toMatchObject({ status: 1, stderr: expect.stringContaining("stale") });
    expect(run().status).toBe(0);
    expect(run("--check").status).toBe(0);
    writeFileSync(join(scratch, "policies/policy.yaml"), `${shippedText}# one more line\n`);
    expect(run("--check").status).toBe(1);
  }, 90_000);

  it("embeds no malformed policy and says what is wrong", () => {
    const before = readFileSync(join(scratch, module), "utf8");
    writeFileSync(
      join(scratch, "policies/policy.yaml"),
      shippedText.replace('operator_approval"]', 'anybody"]'),
    );
    expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining("unknown token") });
    expect(readFileSync(join(scratch, module), "utf8")).toBe(before);
  }, 60_000);
});
