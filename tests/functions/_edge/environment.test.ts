import { describe, expect, it } from "vitest";
import { readEnvironment, type Variable } from "../../../functions/_edge/environment.ts";

const read = (variables: Record<string, string>, needed: Variable[] = []) =>
  readEnvironment((name) => variables[name], needed);

function environment(variables: Record<string, string>) {
  const reading = read(variables);
  if (!reading.ok) throw new Error(reading.problems.join("\n"));
  return reading.environment;
}

describe("readEnvironment", () => {
  it.each([
    ["PORT", "http"],
    ["PORT", "70000"],
    ["DATABASE_URL", "mysql://db"],
    ["INTAKE_TOKENS", "with space"],
    ["INTAKE_TOKENS", "a/b"],
    ["INTAKE_TOKENS", "same-token,other=same-token"],
    ["SERVICE_TOKEN", "two words"],
    ["TELEGRAM_BOT_TOKEN", "not-a-token"],
    ["TELEGRAM_API_ROOT", "localhost:8081"],
    ["TELEGRAM_WEBHOOK_SECRET", "what?"],
    ["TELEGRAM_CHAT_ID", "my channel"],
    ["TELEGRAM_MODE", "carrier-pigeon"],
    ["LLM_BASE_URL", "ftp://models"],
    ["SUPABASE_SECRET_KEYS", "sb_secret_plain"],
    ["SUPABASE_SECRET_KEYS", "{}"],
  ])("refuses %s=%s with a sentence that names it", (name, value) => {
    const reading = read({ [name]: value, LLM_MODEL: name === "LLM_BASE_URL" ? "m" : "" });
    expect(reading.ok).toBe(false);
    expect(!reading.ok && reading.problems.join()).toContain(name);
  });

  it("never repeats a wrong value, which may be a secret in the wrong place", () => {
    const reading = read({ TELEGRAM_BOT_TOKEN: "hunter2", SUPABASE_SECRET_KEYS: "hunter2" });
    expect(JSON.stringify(reading)).not.toContain("hunter2");
  });

  it("says everything that is wrong at once", () => {
    const reading = read({ PORT: "x", TELEGRAM_MODE: "x" }, ["SERVICE_TOKEN"]);
    expect(!reading.ok && reading.problems).toHaveLength(3);
  });

  it("refuses half a judge and polling without a bot", () => {
    expect(read({ LLM_MODEL: "m" }).ok).toBe(false);
    expect(read({ TELEGRAM_MODE: "polling" }).ok).toBe(false);
  });

  it("refuses to start a function without what it needs; an empty value is no value", () => {
    const reading = read({ SERVICE_TOKEN: "  " }, ["SERVICE_TOKEN"]);
    expect(!reading.ok && reading.problems[0]).toMatch(/^SERVICE_TOKEN is not set/);
  });

  it("warns of a token that can be guessed, without repeating it", () => {
    const reading = read({ INTAKE_TOKENS: "tv=short-one", SERVICE_TOKEN: "tiny" });
    expect(reading.ok && reading.warnings).toHaveLength(2);
    expect(reading.ok && reading.warnings.join()).not.toMatch(/short-one|tiny/);
  });

  it("names tokens by their name or their place", () => {
    expect(environment({ INTAKE_TOKENS: "first, tv=second,third,YWJj==" }).intakeTokens).toEqual([
      { name: "default", token: "first" },
      { name: "tv", token: "second" },
      { name: "token-3", token: "third" },
      { name: "token-4", token: "YWJj==" },
    ]);
  });

  it("has the documented defaults", () => {
    expect(environment({})).toMatchObject({
      port: 54321,
      databaseUrl: null,
      dataDir: ".local",
      intakeTokens: [],
      telegram: { botToken: null, apiRoot: "https://api.telegram.org", mode: null },
      llm: null,
      supabase: null,
    });
  });

  it("prefers the platform's new keys to the legacy one", () => {
    const legacy = { SUPABASE_URL: "https://p.example/", SUPABASE_SERVICE_ROLE_KEY: "legacy" };
    expect(environment(legacy).supabase).toEqual({ url: "https://p.example", secretKey: "legacy" });
    const both = environment({ ...legacy, SUPABASE_SECRET_KEYS: '{"default":"sb_secret_1"}' });
    expect(both.supabase?.secretKey).toBe("sb_secret_1");
  });
});
