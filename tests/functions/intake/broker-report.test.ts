import { Webhook } from "standardwebhooks";
import { beforeEach, describe, expect, it } from "vitest";
import { reportVerifier } from "../../../functions/_channels/broker-bridge.ts";
import type { Database } from "../../../functions/_database/database.ts";
import { brokerReportDoor } from "../../../functions/intake/broker-report.ts";

const secret = `whsec_${Buffer.from("a secret of at least 24 bytes").toString("base64")}`;
let calls: unknown[] = [];
let answer: unknown;
const database = {
  call: (_name: string, args: unknown) => {
    calls.push(args);
    return Promise.resolve(answer);
  },
} as unknown as Database;

beforeEach(() => {
  calls = [];
  answer = { status: "confirmed", duplicate: false, task_id: "T-2027-05-01-0001" };
});

const fill = {
  id: "f1",
  quantity: "1",
  price: "100.02",
  fee: "0",
  executed_at: "2027-05-01T10:00:01Z",
};
const filled = { key: "T-1:execute:0", status: "filled", fills: [fill] };

async function send(
  body: unknown,
  {
    method = "POST",
    verify = reportVerifier(secret) as ReturnType<typeof reportVerifier> | null,
    sign = true,
  } = {},
) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const at = new Date();
  const signature = new Webhook(secret).sign("r-1", at, text);
  const headers = sign
    ? {
      "webhook-id": "r-1",
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": signature,
    }
    : undefined;
  const request = new Request("http://localhost/intake/broker", {
    method,
    headers,
    ...(method === "POST" ? { body: text } : {}),
  });
  const response = await brokerReportDoor(request, { database, verify });
  return { status: response.status, body: await response.json() };
}

describe("the broker's door", () => {
  it("is not there without a bridge, and takes nothing unsigned", async () => {
    expect(await send(filled, { verify: null })).toMatchObject({ status: 404 });
    expect(await send(filled, { method: "GET" })).toMatchObject({ status: 405 });
    expect(await send(filled, { sign: false })).toMatchObject({ status: 401 });
    expect(await send("x".repeat(17 * 1024))).toMatchObject({ status: 413 });
    expect(calls).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["no JSON", "{"],
    ["null", "null"],
    ["no key", { ...filled, key: "" }],
    ["another status", { ...filled, status: "maybe" }],
    ["no fills", { ...filled, fills: [] }],
    ["a price with an exponent", { ...filled, fills: [{ ...fill, price: "1e3" }] }],
    ["a figure as a number", { ...filled, fills: [{ ...fill, quantity: 1 }] }],
    ["a local time", { ...filled, fills: [{ ...fill, executed_at: "2027-05-01 10:00" }] }],
  ])("refuses a signed report with %s", async (_, body) => {
    expect(await send(body)).toMatchObject({ status: 422, body: { error: "invalid_request" } });
    expect(calls).toEqual([]);
  });

  it("hands a report on in one call, and says what came of it", async () => {
    expect(await send(filled)).toEqual({
      status: 200,
      body: { status: "confirmed", duplicate: false },
    });
    expect(calls).toEqual([{ p_report: filled }]);
    answer = { status: "confirmed", duplicate: true };
    expect(await send(filled)).toMatchObject({ body: { duplicate: true } });
  });

  it("answers with the database's own refusal", async () => {
    answer = { refused: "not_found" };
    expect(await send({ ...filled, key: "nobody" })).toMatchObject({ status: 404 });
    answer = { refused: "illegal_transition", reason: "it has not left yet" };
    expect(await send(filled)).toMatchObject({
      status: 409,
      body: { reason: "it has not left yet" },
    });
  });
});
