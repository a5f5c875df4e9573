import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePolicy } from "../../../functions/_policy/parse-policy.ts";
import { changed, reasonOf, shippedText } from "./shipped-policy.ts";

const sections = [
  "version",
  "limits",
  "risk_tiers",
  "approvals",
  "agents",
  "optional_agents",
  "roles",
  "platform_actions",
  "actions",
  "sources",
  "flows",
  "tools",
  "guardrails",
  "rubric",
  "rate_limits",
  "windows",
];

describe("a policy that cannot be read", () => {
  it.each(sections)("is refused without its section %s", async (section) => {
    const result = await changed((policy) => delete policy[section]);
    expect(reasonOf(result)).toMatch(new RegExp(`^policy_invalid: .*${section}`));
  });

  it.each([
    ["nothing", ""],
    ["a comment alone", "# nothing here\n"],
    ["a list", "- version: 1\n"],
    ["a word", "version"],
    ["two documents", `${shippedText}---\nversion: 2\n`],
    ["an open bracket", "version: [1\n"],
    ["tabs as indentation", "limits:\n\ttrading: 1\n"],
    ["an unknown tag", shippedText.replace("version: 1", "version: !!js/function 1")],
    ["a NUL", shippedText.replace("version: 1", "version: \u0000")],
    ["a key that is a list", `${shippedText}? [a, b]\n: 1\n`],
    ["a prototype for a key", `${shippedText}__proto__: { ok: true }\n`],
    ["a section nobody knows", `${shippedText}overrides: { T3: [] }\n`],
  ])("is refused when it is %s", async (_, text) => {
    expect(reasonOf(await parsePolicy(text))).toMatch(/^policy_invalid: ./);
  });

  it("is refused when a key stands twice, at the top or below", async () => {
    expect(reasonOf(await parsePolicy(`${shippedText}version: 2\n`))).toMatch(/unique/);
    const twice = shippedText.replace('  T2: ["critic', '  T2: []\n  T2: ["critic');
    expect(twice).not.toBe(shippedText);
    expect(reasonOf(await parsePolicy(twice))).toMatch(/^policy_invalid: line \d+: .*unique/);
  });

  it("is refused when it uses an alias, before anything unfolds", async () => {
    const levels = Array.from("bcdefghij", (letter, index) => {
      const previous = "abcdefghi"[index];
      return `${letter}: &${letter} [${Array(10).fill(`*${previous}`).join(", ")}]`;
    });
    const bomb = ["a: &a [lol, lol]", ...levels].join("\n");
    const started = performance.now();
    expect(reasonOf(await parsePolicy(bomb))).toMatch(/alias/i);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each([
    ["brackets", "[".repeat(30_000)],
    ["closed brackets", "[".repeat(3000) + "]".repeat(3000)],
    ["braces", "{a: ".repeat(10_000)],
    ["dashes", "- ".repeat(30_000)],
    ["question marks", "? ".repeat(30_000)],
    ["indentation", Array.from({ length: 300 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
  ])("is refused when it nests without end by %s", async (_, text) => {
    const started = performance.now();
    expect(reasonOf(await parsePolicy(text))).toBe("policy_invalid: the file nests too deeply");
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("is refused above 64 KiB", async () => {
    const padded = `${shippedText}# ${"x".repeat(64 * 1024)}\n`;
    expect(reasonOf(await parsePolicy(padded))).toMatch(/more than 65536 bytes/);
  });

  it("never throws and gives a short reason, whatever the bytes", async () => {
    const lines = shippedText.split("\n");
    const spliced = fc.tuple(fc.nat(lines.length), fc.string(), fc.nat(4)).map(([at, text, cut]) =>
      [...lines.slice(0, at), text, ...lines.slice(at + cut)].join("\n")
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), spliced), async (text) => {
        const result = await parsePolicy(text);
        if (!result.ok) {
          expect(result.code).toBe("policy_invalid");
          expect(result.reason.length).toBeLessThanOrEqual(601);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("a policy with a value of the wrong kind", () => {
  // deno-lint-ignore no-explicit-any
  const wrong: [string, (policy: any) => void][] = [
    ["a version in words", (policy) => policy.version = "1"],
    [
      "a loss limit that is not a number",
      (policy) => policy.limits.trading.max_daily_loss_pct = NaN,
    ],
    ["a loss limit without end", (policy) => policy.limits.trading.max_daily_loss_pct = Infinity],
    ["a negative payment cap", (policy) => policy.limits.payments.max_single_tx_usdt = -1],
    ["a fractional number of positions", (policy) => policy.limits.trading.max_positions = 2.5],
    ["a limit nobody knows", (policy) => policy.limits.trading.max_luck = 1],
    ["an empty tier", (policy) => policy.risk_tiers.T3 = []],
    ["a fifth tier", (policy) => policy.risk_tiers.T4 = ["FLY"]],
    ["an agent without a version", (policy) => policy.agents.trader = "trader"],
    ["a missing agent", (policy) => delete policy.agents.critic],
    ["an agent nobody knows", (policy) => policy.agents.oracle = "oracle:v1"],
    ["a reviewer who approves", (policy) => policy.roles.operator_approval = ["reviewer"]],
    ["an approval that nobody can give", (policy) => policy.roles.owner_approval = []],
    ["a ratio as a float", (policy) => policy.guardrails.signal.min_reward_risk = 1.5],
    ["a flow that never lapses", (policy) => policy.flows.signal.expires_minutes = 0],
    ["a threshold above 1", (policy) => policy.rubric.default_threshold = 1.2],
    ["another weight for a mark", (policy) => policy.rubric.maxima.clarity = 3],
    ["a floor below seven marks", (policy) => policy.rubric.pass_total = 6],
    ["no rate at all", (policy) => policy.rate_limits.intake_per_minute = 0],
    ["a platform action without a tier", (policy) => delete policy.platform_actions.RESUME.tier],
  ];
  it.each(wrong)("is refused for %s", async (_, change) => {
    expect(reasonOf(await changed(change))).toMatch(/^policy_invalid: ./);
  });

  it("says which field is wrong", async () => {
    const result = await changed((policy) => policy.limits.trading.max_positions = "three");
    expect(reasonOf(result)).toMatch(/limits\.trading\.max_positions/);
  });

  it.each(["critic>0.8", "critic>=1.5", "reviewer_approval", "", "critic>=0.8 or owner_approval"])(
    "is refused for the token %j",
    async (token) => {
      const result = await changed((policy) => policy.approvals.T2.push(token));
      expect(reasonOf(result)).toMatch(/approvals\.T2: unknown token/);
    },
  );
});

describe("the shipped policy", () => {
  it("is accepted, with the sha256 of its own bytes", async () => {
    const result = await parsePolicy(shippedText);
    expect(result).toMatchObject({
      ok: true,
      text: shippedText,
      sha256: createHash("sha256").update(shippedText).digest("hex"),
    });
  });

  it("is another policy after any change, a comment included", async () => {
    const [one, other] = [await parsePolicy(shippedText), await parsePolicy(`${shippedText}#\n`)];
    expect(one.ok && other.ok && one.sha256 !== other.sha256).toBe(true);
  });

  it("becomes stricter by its text alone", async () => {
    const result = await parsePolicy(shippedText.replace("critic>=0.8", "critic>=0.95"));
    expect(result.ok && result.policy.approvals.T2).toEqual(["critic>=0.95", "operator_approval"]);
  });
});
