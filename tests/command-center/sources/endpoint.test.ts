import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agentState } from "../../../command-center/projection/agent-state.ts";
import { configured, look } from "../support/configured.ts";
import { HttpFake } from "../support/http-fake.ts";

let fake: HttpFake;
beforeEach(async () => {
  fake = await new HttpFake(({ url }) =>
    url.pathname === "/api/tags"
      ? { body: { models: [{ name: "small:7b", details: { family: "x" } }] } }
      : url.pathname === "/v1/models"
      ? { body: { object: "list", data: [{ id: "large", created: 1 }] } }
      : { status: 204 }
  ).start();
});
afterEach(() => fake.close());

const read = async (more: object = {}, variables: Record<string, string> = {}) => {
  const endpoint = { name: "models", kind: "ollama", url: fake.url, timeout_seconds: 1, ...more };
  const { agents: [, reader] } = configured({ endpoints: [endpoint] }, variables);
  const now = new Date();
  const reading = await reader.read(now, look());
  return {
    reading,
    status: reading.status,
    reason: reading.reason,
    verdict: reading.value?.[0] && agentState(reading.value[0], now),
  };
};

describe("a model server", () => {
  it("is up when it answers, with what it serves and how long it took", async () => {
    const { status, verdict, reading } = await read();
    expect([status, verdict?.state]).toEqual(["live", "up"]);
    expect(reading.value?.[0].serves).toEqual(["small:7b"]);
    expect(reading.value?.[0].latency_ms).toBeGreaterThan(0);
  });

  it("is asked at /models when it speaks as OpenAI does, with the machine's key", async () => {
    const more = { kind: "openai", url: `${fake.url}/v1/`, token_env: "MODELS_KEY" };
    const { reading } = await read(more, { MODELS_KEY: "the-key" });
    expect(reading.value?.[0].serves).toEqual(["large"]);
    expect(fake.asked[0].url.pathname).toBe("/v1/models");
    expect(fake.asked[0].headers.authorization).toBe("Bearer the-key");
    expect(JSON.stringify(reading)).not.toContain("the-key");
  });

  it("is unknown without its machine credential, and is not asked", async () => {
    const { status, reason } = await read({ token_env: "MODELS_KEY" });
    expect({ status, reason }).toEqual({
      status: "unknown",
      reason: "its machine credential MODELS_KEY is not set",
    });
    expect(fake.asked).toEqual([]);
  });

  it("is rate limited when it says so", async () => {
    fake.always = { status: 429, headers: { "retry-after": "30" } };
    const { status, reason, verdict } = await read();
    expect({ status, reason }).toEqual({
      status: "degraded",
      reason: "it limits the rate (429, for 30 s)",
    });
    expect(verdict?.state).toBe("rate_limited");
  });

  it("is degraded when it answers another status than expected", async () => {
    fake.always = { status: 500, body: "out of memory" };
    const { status, verdict } = await read();
    expect([status, verdict?.state, verdict?.failure])
      .toEqual(["degraded", "degraded", "it answered 500, expected 200"]);
  });

  it.each([
    ["", "its answer is empty"],
    ["<html>", "the list of models is no whole JSON"],
    [{ data: [] }, "the list of models has another shape than expected at models"],
  ])("is unknown when it answers %j", async (body, reason) => {
    fake.always = { body };
    expect(await read()).toMatchObject({ status: "unknown", reason });
  });

  it("follows no redirect", async () => {
    fake.always = { status: 301, headers: { location: "http://127.0.0.1:9/" } };
    expect(await read()).toMatchObject({
      status: "unknown",
      reason: "it answered with a redirect, and none is followed",
    });
  });

  it("is asked anew at every look, and never shown from before", async () => {
    const endpoint = { name: "models", kind: "ollama", url: fake.url, timeout_seconds: 1 };
    const { agents: [, reader] } = configured({ endpoints: [endpoint] });
    expect((await reader.read(new Date(), look())).status).toBe("live");
    await fake.close();
    const { status, reason, value } = await reader.read(new Date(), look());
    expect({ status, reason, value }).toEqual({
      status: "unknown",
      reason: "connection refused",
      value: null,
    });
  });

  it("has no time without a Date, unless the configuration says that it sends none", async () => {
    fake.dated = false;
    expect(await read()).toMatchObject({ status: "unknown", reason: "the source gave no time" });
    expect(await read({ undated: true })).toMatchObject({ status: "live" });
  });
});

describe("any other service", () => {
  it("is up by the status that is expected of it", async () => {
    const kind = { kind: "http", url: `${fake.url}/health` };
    expect((await read({ ...kind, expected_status: 204 })).verdict?.state).toBe("up");
    expect((await read(kind)).verdict?.state).toBe("degraded");
  });
});
